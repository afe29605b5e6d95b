#include "client/lib/node.h"

#include "common/attest/accept.h"
#include "common/attest/evidence.h"
#include "common/base/endian.h"
#include "common/base/try.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { PART_MAX = 512 * 1024 };

static const char *const part_names[SUPPLEMENTS] = {
    [SUPPLEMENT_CERTIFICATES] = "certificates", [SUPPLEMENT_AMD_CRL] = "amd_crl",
    [SUPPLEMENT_TCB_INFO] = "tcb_info",         [SUPPLEMENT_QE_IDENTITY] = "qe_identity",
    [SUPPLEMENT_TCB_SIGNING] = "tcb_signing",   [SUPPLEMENT_PCK_CRL] = "pck_crl",
    [SUPPLEMENT_ROOT_CA_CRL] = "root_ca_crl"};

/* Evidence being gathered; the spans of `judging` point into the buffers. */
struct gathered {
    struct buffer evidence, part[SUPPLEMENTS];
    struct judging judging;
    char tee[16];
};

static void gathered_clear(struct gathered *g)
{
    buffer_clear(&g->evidence);
    for (size_t i = 0; i < SUPPLEMENTS; i++)
        buffer_clear(&g->part[i]);
}

static apex_status part_take(struct gathered *g, size_t part, const char *path,
                             struct apex_error *error)
{
    buffer_clear(&g->part[part]);
    TRY(file_load(path, PART_MAX, &g->part[part], error));
    g->judging.supplements.part[part] = buffer_span(&g->part[part]);
    return APEX_OK;
}

/* Files of the parts' names, with any of the usual endings. */
static apex_status folder_take(struct gathered *g, const char *folder, struct apex_error *error)
{
    static const char *const endings[] = {"", ".json", ".pem", ".der", ".crl"};
    char path[FULL_PATH_MAX];
    size_t found = 0;
    for (size_t i = 1; i < SUPPLEMENTS; i++)
        for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
            struct stat there;
            snprintf(path, sizeof path, "%.3900s/%s%s", folder, part_names[i], endings[k]);
            if (stat(path, &there) != 0 || !S_ISREG(there.st_mode)) continue;
            TRY(part_take(g, i, path, error));
            found++;
        }
    if (found > 0) return APEX_OK;
    return apex_fail(error, APEX_E_NOT_FOUND,
                     "the folder holds no file of a name that is known (tcb_info.json, …)",
                     "nothing was judged", "see `man apex-trust` for the names", "you");
}

static apex_status with_take(struct gathered *g, const char *with, struct apex_error *error)
{
    const char *equals = strchr(with, '=');
    size_t len = equals ? (size_t)(equals - with) : 0;
    if (!equals) return folder_take(g, with, error);
    for (size_t i = 1; i < SUPPLEMENTS; i++)
        if (strlen(part_names[i]) == len && memcmp(part_names[i], with, len) == 0)
            return part_take(g, i, equals + 1, error);
    return apex_fail(error, APEX_E_USAGE, "no part of evidence has that name",
                     "nothing was judged",
                     "one of certificates, amd_crl, tcb_info, qe_identity, tcb_signing, "
                     "pck_crl, root_ca_crl",
                     "you");
}

/* A quote's vendor stands at 12; a Nitro document is a COSE array of four, tagged or not. */
static const char *tee_of_form(struct span b)
{
    static const uint8_t intel[4] = {0x93, 0x9a, 0x72, 0x33};
    if (b.len == SNP_REPORT_LEN && get_le32(b.data) < 16) return "sev-snp";
    if (b.len > 48 && memcmp(b.data + 12, intel, 4) == 0)
        return get_le16(b.data) > 3 && get_le32(b.data + 4) == QUOTE_TEE_TDX ? "tdx" : "sgx";
    if (b.len > 4 && (b.data[0] == 0x84 || (b.data[0] == 0xd2 && b.data[1] == 0x84)))
        return "nitro";
    return NULL;
}

static apex_status evidence_take(struct gathered *g, const struct apex_evidence_files *files,
                                 struct apex_error *error)
{
    struct evidence envelope;
    TRY(file_load(files->evidence, PART_MAX, &g->evidence, error));
    struct span bytes = buffer_span(&g->evidence);
    g->judging.report = bytes;
    const char *tee = files->tee;
    if (!tee && evidence_parse(bytes, &envelope) == APEX_OK &&
        supplements_parse(envelope.supplements, &g->judging.supplements) == APEX_OK) {
        g->judging.report = envelope.report;
        snprintf(g->tee, sizeof g->tee, "%.*s",
                 (int)(envelope.tee.len < 15 ? envelope.tee.len : 15),
                 envelope.tee.len ? (const char *)envelope.tee.data : "");
        return APEX_OK;
    }
    if (!tee) tee = tee_of_form(bytes);
    if (!tee)
        return apex_fail(error, APEX_E_FORMAT,
                         "the file has the form of no evidence that is known",
                         "nothing was judged", "say what it is with --tee", "you");
    snprintf(g->tee, sizeof g->tee, "%s", tee);
    return APEX_OK;
}

static apex_status time_take(struct gathered *g, const char *at, struct apex_error *error)
{
    struct tm t = {0};
    if (!at) {
        g->judging.at_ms = (uint64_t)time(NULL) * 1000;
        return APEX_OK;
    }
    const char *end = strptime(at, "%Y-%m-%dT%H:%M:%SZ", &t);
    if (!end || *end || t.tm_year < 70)
        return apex_fail(error, APEX_E_USAGE, "that is not a time", "nothing was judged",
                         "write it as 2025-11-01T00:00:00Z", "you");
    g->judging.at_ms = (uint64_t)timegm(&t) * 1000;
    return APEX_OK;
}

static apex_status policy_take(struct apex_home *home, const char *text,
                               struct trust_policy **policy, struct apex_error *error)
{
    struct policy_error where;
    char what[240];
    if (!text) {
        apex_status s = trust_load(home, policy, error);
        return s == APEX_E_NOT_FOUND ? APEX_OK : s;
    }
    if (trust_policy_parse(span_text(text), policy, &where) == APEX_OK) return APEX_OK;
    snprintf(what, sizeof what, "the trust policy is not acceptable: line %zu, %.90s: %.90s",
             where.line, where.where, where.what ? where.what : "too long");
    return apex_fail(error, APEX_E_FORMAT, what, "nothing was judged", "correct it", "you");
}

static apex_status gather(const struct apex_evidence_files *files, struct gathered *g,
                          struct apex_error *error)
{
    TRY(evidence_take(g, files, error));
    for (size_t i = 0; i < files->n_with; i++)
        TRY(with_take(g, files->with[i], error));
    return time_take(g, files->at, error);
}

static apex_status judge(struct gathered *g, const struct trust_policy *policy,
                         struct apex_verdict *verdict, struct apex_error *error)
{
    static const struct enclave_keys nobody;
    struct verdict *v = calloc(1, sizeof *v);
    if (!v) return apex_fail_memory(error);
    attest_examine(g->tee, &g->judging, v);
    verdict_hold_against(v, policy, g->judging.at_ms);
    verdict_conclude(v, policy);
    verdict_copy(v, &nobody, "", verdict);
    verdict->log_key[0] = 0;
    bool fine = v->genuine && v->acceptable;
    free(v);
    if (fine) return APEX_OK;
    return apex_fail(error, APEX_E_UNTRUSTED, verdict->sentence, "nothing was sealed to it",
                     "look at the checks that failed", "the operator");
}

apex_status apex_evidence_check(struct apex_home *home, const struct apex_evidence_files *files,
                                struct apex_verdict *verdict, struct apex_error *error)
{
    struct trust_policy *policy = NULL;
    struct gathered g = {0};
    *verdict = (struct apex_verdict){0};
    apex_status s = gather(files, &g, error);
    if (s == APEX_OK) s = policy_take(home, files->policy, &policy, error);
    if (s == APEX_OK) s = judge(&g, policy, verdict, error);
    trust_policy_free(policy);
    gathered_clear(&g);
    return s;
}

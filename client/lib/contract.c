#include "client/lib/node.h"

#include "common/base/hex.h"
#include "common/base/try.h"
#include "common/crypto/hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAM_FILE_MAX = 64 << 20 };

static apex_status file_digest(const char *path, int *fd, uint64_t *size,
                               uint8_t digest[static 32], struct apex_error *error)
{
    uint8_t piece[65536];
    struct sha256 h;
    ssize_t n;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return apex_fail_path(error, APEX_E_IO, path, "cannot be read", "nothing was sent");
    sha256_init(&h);
    for (*size = 0; (n = read(*fd, piece, sizeof piece)) > 0; *size += (uint64_t)n)
        sha256_update(&h, span_of(piece, (size_t)n));
    sha256_final(&h, digest);
    if (n == 0 && *size > 0 && *size <= PROGRAM_FILE_MAX) return APEX_OK;
    close(*fd);
    *fd = -1;
    return apex_fail(error, APEX_E_FORMAT, "the file is empty, too long, or cannot be read",
                     "nothing was sent", "check the path", "you");
}

apex_status apex_program_digest(const char *program_path, char hex[65],
                                struct apex_error *error)
{
    int fd;
    uint64_t size;
    uint8_t digest[32];
    TRY(file_digest(program_path, &fd, &size, digest, error));
    close(fd);
    hex_write(SPAN(digest), hex);
    return APEX_OK;
}

static apex_status manifest_load(const char *path, struct buffer *text, struct manifest **m,
                                 struct apex_error *error)
{
    struct manifest_error where;
    char what[240];
    TRY(file_load(path, MANIFEST_MAX, text, error));
    apex_status s = manifest_parse(buffer_span(text), m, &where);
    if (s == APEX_OK) return s;
    snprintf(what, sizeof what, "the manifest is not acceptable: line %zu, %.90s: %.90s",
             where.line, where.where, where.what ? where.what : "too long");
    return apex_fail(error, s, what, "nothing was sent", "correct it and try again",
                     "the author of the manifest");
}

apex_status apex_manifest_address(const char *manifest_path, char address[58],
                                  struct apex_error *error)
{
    BUFFER_CLEARED text = {0};
    struct manifest *m = NULL;
    uint8_t digest[32];
    TRY(manifest_load(manifest_path, &text, &m, error));
    manifest_free(m);
    sha256(buffer_span(&text), digest);
    address_write(digest, address);
    return APEX_OK;
}

/* Puts `value` wherever @NAME@ stands. */
static void replace(struct buffer *text, const char *name, const char *value)
{
    struct buffer out = {0};
    size_t len = strlen(name);
    for (size_t i = 0; i < text->len;) {
        if (text->len - i >= len && memcmp(text->data + i, name, len) == 0) {
            buffer_text(&out, value);
            i += len;
        } else {
            buffer_u8(&out, text->data[i++]);
        }
    }
    buffer_clear(text);
    *text = out;
}

/* What another party sent goes into a text that will be signed: it must be a name and two keys,
 * no more. */
static apex_status parties_check(const struct apex_party *parties, size_t n,
                                 struct apex_error *error)
{
    uint8_t key[32];
    char what[240];
    if (n < 1 || n > PARTIES_MAX)
        return apex_fail(error, APEX_E_USAGE, "a contract has 1 to 64 parties",
                         "no manifest was written", "name them with --party", "you");
    for (size_t i = 0; i < n; i++) {
        if (home_name_valid(parties[i].name) &&
            hex_parse(span_text(parties[i].sign_hex), key, 32) == APEX_OK &&
            hex_parse(span_text(parties[i].seal_hex), key, 32) == APEX_OK)
            continue;
        snprintf(what, sizeof what, "party %zu is not a name and two keys of 64 hex digits",
                 i + 1);
        return apex_fail(error, APEX_E_FORMAT, what, "no manifest was written",
                         "ask that party for what `apex id show` prints", "that party");
    }
    return APEX_OK;
}

static void parties_text(const struct apex_party *parties, size_t n, struct buffer *out)
{
    for (size_t i = 0; i < n; i++) {
        char line[400];
        snprintf(line, sizeof line,
                 "%s\n    {\"name\": \"%s\", \"sign\": \"%s\", \"seal\": \"%s\", \"may\": "
                 "[\"contribute\", \"run\", \"receive\", \"approve\", \"audit\"]}",
                 i ? "," : "", parties[i].name, parties[i].sign_hex, parties[i].seal_hex);
        buffer_text(out, line);
    }
    buffer_u8(out, '\n');
    buffer_u8(out, 0);
}

/* Two years from today, unless the template says another day. */
static void expiry_text(char text[static 32])
{
    enum { YEARS = 2, A_YEAR_S = 31557600 };
    time_t at = (time_t)(wall_clock_ms() / 1000) + YEARS * (time_t)A_YEAR_S;
    struct tm t = {0};
    gmtime_r(&at, &t);
    strftime(text, 32, "%Y-%m-%dT00:00:00Z", &t);
}

apex_status apex_manifest_new(struct apex_node *node, const char *template_path,
                              const char *program_path, const struct apex_party *parties,
                              size_t n_parties, const char *output_path,
                              struct apex_error *error)
{
    BUFFER_CLEARED text = {0};
    BUFFER_CLEARED list = {0};
    struct manifest *m = NULL;
    struct manifest_error where;
    char program[65], expires[32];
    TRY(parties_check(parties, n_parties, error));
    TRY(file_load(template_path, MANIFEST_MAX, &text, error));
    TRY(apex_program_digest(program_path, program, error));
    parties_text(parties, n_parties, &list);
    replace(&text, "@PROGRAM@", program);
    expiry_text(expires);
    replace(&text, "@EXPIRES@", expires);
    replace(&text, "@TEE@", node->verdict.tee);
    replace(&text, "@MEASUREMENT@", node->verdict.measurement);
    replace(&text, "@PARTIES@", list.data ? (const char *)list.data : "");
    if (manifest_parse(buffer_span(&text), &m, &where) != APEX_OK) {
        char what[240];
        snprintf(what, sizeof what,
                 "the filled template is not acceptable: line %zu, %.90s: %.90s", where.line,
                 where.where, where.what ? where.what : "too long");
        return apex_fail(error, APEX_E_FORMAT, what, "no manifest was written",
                         "correct the template or the parties", "you");
    }
    manifest_free(m);
    return file_save(output_path, buffer_span(&text), 0644, false, error);
}

static apex_status blob_send_file(struct apex_node *node, const char *path,
                                  const uint8_t digest[static 32], struct apex_error *error)
{
    int fd;
    uint64_t size;
    uint8_t ours[32];
    TRY(file_digest(path, &fd, &size, ours, error));
    apex_status s =
        memcmp(ours, digest, 32) == 0
            ? http_put_blob(node->http, digest, fd, size, NULL, NULL, error)
            : apex_fail(error, APEX_E_USAGE, "the file is not the one the manifest names",
                        "nothing was recorded",
                        "build the program from the manifest's source, or correct the manifest",
                        "you");
    close(fd);
    return s;
}

apex_status apex_deploy(struct apex_node *node, const struct apex_identity *identity,
                        const char *manifest_path, const char *program_path, char address[58],
                        struct apex_error *error)
{
    BUFFER_CLEARED text = {0};
    struct manifest *m = NULL;
    struct act act = {.kind = ACT_DEPLOY};
    uint64_t index;
    TRY(manifest_load(manifest_path, &text, &m, error));
    sha256(buffer_span(&text), act.address);
    address_write(act.address, address);
    apex_status s = blob_send_file(node, program_path, m->programs[0].digest, error);
    manifest_free(m);
    if (s == APEX_OK) s = blob_send_file(node, manifest_path, act.address, error);
    return s == APEX_OK ? node_act(node, identity, &act, &index, error) : s;
}

static apex_status simple_act(struct apex_node *node, const struct apex_identity *identity,
                              const char *address, enum act_kind kind, uint64_t contribution,
                              struct apex_error *error)
{
    struct act act = {.kind = kind, .index = contribution};
    uint64_t index;
    TRY(address_of(address, act.address, error));
    return node_act(node, identity, &act, &index, error);
}

apex_status apex_accept(struct apex_node *node, const struct apex_identity *identity,
                        const char *address, struct apex_error *error)
{
    return simple_act(node, identity, address, ACT_ACCEPT, 0, error);
}

apex_status apex_close_contract(struct apex_node *node, const struct apex_identity *identity,
                                const char *address, struct apex_error *error)
{
    return simple_act(node, identity, address, ACT_CLOSE, 0, error);
}

apex_status apex_withdraw(struct apex_node *node, const struct apex_identity *identity,
                          const char *address, uint64_t contribution, struct apex_error *error)
{
    return simple_act(node, identity, address, ACT_WITHDRAW, contribution, error);
}

/* Who has accepted and what private answers have cost, from the log itself. */
static apex_status accepted_mark(struct apex_node *node, const struct manifest *m,
                                 const uint8_t address[static 32],
                                 struct apex_contract_facts *facts)
{
    struct entry *e = calloc(1, sizeof *e);
    struct cose cose, act;
    apex_status s = e ? APEX_OK : APEX_E_MEMORY;
    for (size_t i = 0; s == APEX_OK && i < node->mirror.n; i++) {
        s = cose_parse(buffer_span(&node->mirror.entries[i]), &cose);
        if (s == APEX_OK) s = entry_parse(cose.payload, e);
        if (s != APEX_OK || !e->has_address || memcmp(e->address, address, 32) != 0) continue;
        facts->n_entries++;
        facts->spent_micro += e->epsilon_micro;
        if (e->kind != (unsigned)ACT_ACCEPT) continue;
        s = cose_open(e->act, SPAN_TEXT(ACT_AAD), &act);
        const struct manifest_party *p =
            s == APEX_OK ? manifest_party_by_key(m, act.kid) : NULL;
        if (p) facts->parties[p - m->parties].accepted = true;
    }
    free(e);
    return s;
}

static void facts_fill(const struct manifest *m, const struct body_contract *body,
                       struct apex_contract_facts *f)
{
    static const char *const states[] = {"", "deployed", "active", "expired", "closed"};
    snprintf(f->state, sizeof f->state, "%s", states[body->state]);
    snprintf(f->name, sizeof f->name, "%s", m->name);
    hex_write(SPAN(m->programs[0].digest), f->program);
    f->epsilon_micro = m->privacy.epsilon_micro;
    f->delta = m->privacy.delta;
    hex_write(span_of(body->key, 32), f->key);
    f->n_parties = m->n_parties;
    for (size_t i = 0; i < m->n_parties; i++) {
        snprintf(f->parties[i].name, sizeof f->parties[i].name, "%s", m->parties[i].name);
        f->parties[i].approves = (m->parties[i].may & MAY_APPROVE) != 0;
    }
}

static apex_status facts_read(struct apex_node *node, const uint8_t address[static 32],
                              struct body_contract *body, struct apex_contract_facts *facts,
                              struct apex_error *error)
{
    BUFFER_CLEARED text = {0};
    BUFFER_CLEARED bytes = {0};
    struct manifest *m = NULL;
    TRY(node_contract(node, address, body, &bytes, error));
    TRY(node_manifest(node, address, &text, &m, error));
    facts_fill(m, body, facts);
    apex_status s = node_refresh(node, error);
    if (s == APEX_OK) s = node_mirror(node, error);
    if (s == APEX_OK && accepted_mark(node, m, address, facts) != APEX_OK)
        s = apex_fail(error, APEX_E_UNTRUSTED,
                      "an entry of the log is not signed or formed as it should be",
                      "the contract is not shown",
                      "trust nothing from this node; show this to an auditor", "the operator");
    manifest_free(m);
    TRY(s);
    buffer_u8(&text, 0);
    facts->manifest = buffer_ok(&text) == APEX_OK ? strdup((const char *)text.data) : NULL;
    return facts->manifest ? APEX_OK : apex_fail_memory(error);
}

apex_status apex_contract_show(struct apex_node *node, const char *address,
                               struct apex_contract_facts *facts, struct apex_error *error)
{
    uint8_t raw[32];
    uint64_t *entries = calloc(CONTRACT_ENTRIES_MAX, sizeof *entries);
    struct body_contract *body = calloc(1, sizeof *body);
    *facts = (struct apex_contract_facts){0};
    apex_status s = entries && body ? address_of(address, raw, error) : apex_fail_memory(error);
    if (s == APEX_OK) {
        body->entries = entries;
        s = facts_read(node, raw, body, facts, error);
    }
    free(body);
    free(entries);
    return s;
}

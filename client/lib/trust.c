#include "client/lib/node.h"

#include "client/lib/trust_write.h"
#include "common/base/try.h"

#include <stdio.h>
#include <stdlib.h>

enum { POLICY_MAX = 256 * 1024 };

apex_status apex_trust_init(struct apex_home *home, const char *url, bool replace,
                            struct apex_verdict *verdict, struct apex_error *error)
{
    struct http *http = NULL;
    struct verdict *judged = calloc(1, sizeof *judged);
    struct enclave_keys keys;
    char origin[ORIGIN_MAX + 1], path[FULL_PATH_MAX];
    BUFFER_CLEARED text = {0};
    if (!judged) return apex_fail_memory(error);
    apex_status s = http_open(url, &http, error);
    if (s == APEX_OK) s = node_attest(http, NULL, judged, &keys, origin, NULL, error);
    if (s == APEX_OK) {
        verdict_copy(judged, &keys, origin, verdict);
        policy_write(judged, origin, &keys.log, &text);
    }
    free(judged);
    http_close(http);
    TRY(s);
    snprintf(path, sizeof path, "%s/trust.json", home->path);
    s = file_save(path, buffer_span(&text), 0600, !replace, error);
    if (s == APEX_E_REFUSED)
        return apex_fail(error, s, "there is a trust policy already", "it was not touched",
                         "edit it, or write a new one with --replace", "you");
    return s;
}

/* Which log a node keeps is not for its evidence to say: the client's own check. */
static bool log_check(const struct trust_policy *policy, const char *origin,
                      const struct sign_public *key, struct apex_verdict *v)
{
    apex_status s = trust_policy_log(policy, origin, key);
    if (v->n_checks == sizeof v->checks / sizeof *v->checks) v->n_checks--;
    struct apex_check *c = &v->checks[v->n_checks++];
    *c = (struct apex_check){.name = "log-pinned",
                             .result = s == APEX_OK            ? 1
                                       : s == APEX_E_UNTRUSTED ? 0
                                                               : -1};
    snprintf(c->detail, sizeof c->detail, "%s",
             c->result > 0    ? "the policy names the log that this node keeps"
             : c->result == 0 ? "this node keeps another log than the policy names"
                              : "the policy names no log");
    if (c->result != 0 || !v->acceptable) return c->result != 0;
    v->acceptable = false;
    snprintf(v->reason, sizeof v->reason, "%s", c->name);
    snprintf(v->sentence, sizeof v->sentence,
             "This node keeps another log than the trust policy names: it is another node, or "
             "its state was replaced.");
    return false;
}

apex_status apex_trust_check(struct apex_home *home, const char *url,
                             struct apex_verdict *verdict, struct apex_error *error)
{
    struct trust_policy *policy = NULL;
    struct verified_enclave *enclave = NULL;
    struct http *http = NULL;
    struct verdict *judged = calloc(1, sizeof *judged);
    struct enclave_keys keys = {0};
    char origin[ORIGIN_MAX + 1] = "";
    if (!judged) return apex_fail_memory(error);
    *verdict = (struct apex_verdict){0};
    apex_status s = trust_load(home, &policy, error);
    if (s == APEX_OK) s = http_open(url, &http, error);
    if (s == APEX_OK) {
        s = node_attest(http, policy, judged, &keys, origin, &enclave, error);
        verdict_copy(judged, &keys, origin, verdict);
    }
    if (verdict->n_checks > 0 && !log_check(policy, origin, &keys.log, verdict) && s == APEX_OK)
        s = apex_fail(error, APEX_E_UNTRUSTED, verdict->sentence, "nothing was sent to it",
                      "ask the operator which log it should be; after a move to another node "
                      "write a new policy with `apex trust init URL --replace`",
                      "the operator");
    verified_enclave_free(enclave);
    trust_policy_free(policy);
    http_close(http);
    free(judged);
    return s;
}

apex_status apex_trust_evidence(const char *url, const char *path, struct apex_error *error)
{
    struct http *http = NULL;
    BUFFER_CLEARED evidence = {0};
    TRY(http_open(url, &http, error));
    apex_status s = node_evidence(http, &evidence, error);
    http_close(http);
    return s == APEX_OK ? file_save(path, buffer_span(&evidence), 0644, false, error) : s;
}

char *apex_trust_policy(struct apex_home *home, struct apex_error *error)
{
    char path[FULL_PATH_MAX], *text = NULL;
    BUFFER_CLEARED bytes = {0};
    snprintf(path, sizeof path, "%s/trust.json", home->path);
    if (file_load(path, POLICY_MAX, &bytes, error) != APEX_OK) return NULL;
    text = malloc(bytes.len + 1);
    if (!text) {
        (void)apex_fail_memory(error);
        return NULL;
    }
    memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = 0;
    return text;
}

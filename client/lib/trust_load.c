#include "client/lib/node.h"

#include "common/attest/bundle.h"
#include "common/base/try.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { POLICY_MAX = 256 * 1024 };

apex_status trust_bundles_add(const struct apex_home *home, uint64_t at_ms,
                              struct trust_policy *policy, struct apex_error *error)
{
    char folder[FULL_PATH_MAX], path[FULL_PATH_MAX + 300];
    snprintf(folder, sizeof folder, "%s/bundles", home->path);
    DIR *d = opendir(folder);
    apex_status s = APEX_OK;
    for (struct dirent *e; d && s == APEX_OK && (e = readdir(d));) {
        BUFFER_CLEARED bytes = {0};
        size_t len = strlen(e->d_name);
        if (len < 8 || strcmp(e->d_name + len - 7, ".bundle") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        s = file_load(path, BUNDLE_MAX, &bytes, error);
        if (s == APEX_E_NOT_FOUND) s = APEX_E_IO; /* a link to nowhere: not "no policy" */
        if (s != APEX_OK) break;
        apex_status added = trust_policy_add_bundle(policy, buffer_span(&bytes), at_ms, NULL);
        if (added == APEX_E_MEMORY) s = apex_fail_memory(error);
    }
    if (d) closedir(d);
    return s;
}

apex_status trust_load_file(const struct apex_home *home, const char *path, uint64_t at_ms,
                            struct trust_policy **policy, struct apex_error *error)
{
    char what[240];
    BUFFER_CLEARED text = {0};
    struct policy_error where;
    TRY(file_load(path, POLICY_MAX, &text, error));
    struct trust_policy *parsed = NULL;
    apex_status s = trust_policy_parse(buffer_span(&text), &parsed, &where);
    if (s == APEX_OK) {
        s = trust_bundles_add(home, at_ms, parsed, error);
        if (s == APEX_OK)
            *policy = parsed;
        else
            trust_policy_free(parsed);
        return s;
    }
    snprintf(what, sizeof what, "the trust policy is not acceptable: line %zu, %.60s: %.120s",
             where.line, where.where, where.what ? where.what : "not JSON");
    return apex_fail(
        error, s, what, "nothing was sent",
        "correct the policy (trust.json in the home folder, unless another was named)", "you");
}

apex_status trust_load(const struct apex_home *home, struct trust_policy **policy,
                       struct apex_error *error)
{
    char path[FULL_PATH_MAX];
    snprintf(path, sizeof path, "%s/trust.json", home->path);
    apex_status s = trust_load_file(home, path, wall_clock_ms(), policy, error);
    if (s == APEX_E_NOT_FOUND)
        return apex_fail(
            error, s, "there is no trust policy yet", "nothing was sent",
            "write one from the node's evidence with `apex trust init URL`, and look at it",
            "you");
    return s;
}

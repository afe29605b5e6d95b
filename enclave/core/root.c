#include "enclave/core/root.h"

#include "common/base/try.h"
#include "common/crypto/random.h"
#include "enclave/core/host.h"

#include <stdio.h>

static apex_status keep(struct core *core, const struct root_secret *root, const char **why)
{
    BUFFER_CLEARED sealed = {0};
    if (!tee_seals(core->tee)) {
        fprintf(stderr,
                "apex-enclave: this machine (%s) cannot seal: when this enclave ends, its "
                "root secret is gone but for peers and recovery shares\n",
                tee_kind(core->tee));
        return APEX_OK;
    }
    *why = "the root secret cannot be sealed";
    TRY(tee_seal(core->tee, root, &sealed));
    *why = "the host does not keep the sealed root secret";
    return host_root_put(core->link, buffer_span(&sealed));
}

static apex_status unseal(struct core *core, struct span sealed, struct root_secret *root,
                          const char **why)
{
    bool stale = false;
    *why =
        "the sealed root secret does not open: it was changed, or sealed by another enclave or "
        "on another machine";
    TRY(tee_unseal(core->tee, sealed, root, &stale));
    return stale ? keep(core, root, why) : APEX_OK;
}

apex_status root_find(struct core *core, struct root_secret *root, const char **why)
{
    BUFFER_CLEARED sealed = {0};
    BUFFER_CLEARED note = {0};
    bool wait;
    *why = "the host does not give the sealed root secret";
    TRY(host_root_get(core->link, &wait, &sealed));
    if (sealed.len > 0 && !wait) return unseal(core, buffer_span(&sealed), root, why);
    *why = "the host does not give the checkpoint";
    TRY(host_checkpoint_get(core->link, &note));
    *why = "there is a log, and no sealed root secret to go with it";
    if (note.len > 0 || wait) return APEX_E_UNTRUSTED;
    random_bytes(root->bytes, sizeof root->bytes);
    return keep(core, root, why);
}

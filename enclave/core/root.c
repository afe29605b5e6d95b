#include "enclave/core/root.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/crypto/random.h"
#include "enclave/core/host.h"
#include "enclave/core/waiting.h"

#include <stdio.h>

/* What is sealed: root secret | u64be size and root of the checkpoint its log must contain. */
enum { SEALED_LEN = ROOT_LEN + 8 + 32 };
struct sealed_state {
    uint8_t bytes[SEALED_LEN];
};
WIPED_DEFINE(sealed_state)

static apex_status keep(struct core *core, const struct root_secret *root, const char **why)
{
    WIPED(sealed_state) state = {{0}};
    BUFFER_CLEARED sealed = {0};
    if (!tee_seals(core->tee)) {
        fprintf(stderr,
                "apex-enclave: this machine (%s) cannot seal: when this enclave ends, its "
                "root secret is gone but for peers and recovery shares\n",
                tee_kind(core->tee));
        return APEX_OK;
    }
    memcpy(state.bytes, root->bytes, ROOT_LEN);
    put_be64(state.bytes + ROOT_LEN, core->floor.size);
    memcpy(state.bytes + ROOT_LEN + 8, core->floor.root, 32);
    *why = "the root secret cannot be sealed";
    TRY(tee_seal(core->tee, SPAN(state.bytes), &sealed));
    *why = "the host does not keep the sealed root secret";
    return host_root_put(core->link, buffer_span(&sealed));
}

static apex_status unseal(struct core *core, struct span sealed, struct root_secret *root,
                          const char **why)
{
    WIPED(sealed_state) state = {{0}};
    bool stale = false;
    *why = "the sealed root secret does not open: it was changed, or sealed by another enclave "
           "or on another machine; have a peer hand it over, or recover it (apexd --join)";
    TRY(tee_unseal(core->tee, sealed, state.bytes, sizeof state.bytes, &stale));
    memcpy(root->bytes, state.bytes, ROOT_LEN);
    core->floor.size = get_be64(state.bytes + ROOT_LEN);
    memcpy(core->floor.root, state.bytes + ROOT_LEN + 8, 32);
    return stale ? keep(core, root, why) : APEX_OK;
}

static apex_status take_over(struct core *core, struct root_secret *root, const char **why)
{
    fprintf(stderr, "apex-enclave: waiting for a root secret: a peer hands it over (apex node "
                    "hand-over), or its holders recover it (apex node recover)\n");
    *why = "the host is gone";
    TRY(wait_for_root(core, root, &core->floor));
    return keep(core, root, why);
}

apex_status root_find(struct core *core, struct root_secret *root, const char **why)
{
    BUFFER_CLEARED sealed = {0};
    BUFFER_CLEARED note = {0};
    bool wait;
    *why = "the host does not give the sealed root secret";
    TRY(host_root_get(core->link, &wait, &sealed));
    if (sealed.len > 0) {
        apex_status s = unseal(core, buffer_span(&sealed), root, why);
        if (s == APEX_OK || !wait) return s;
    }
    *why = "the host does not give the checkpoint";
    TRY(host_checkpoint_get(core->link, &note));
    if (note.len > 0 || wait) return take_over(core, root, why);
    random_bytes(root->bytes, sizeof root->bytes);
    return keep(core, root, why);
}

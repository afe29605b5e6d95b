#include "host/daemon/options.h"

#include "common/base/hex.h"
#include "host/daemon/http.h"

const char options_usage[] =
    "apexd: an APEX node's host: serves HTTP, keeps ciphertext and the log, runs the enclave.\n"
    "\n"
    "usage: apexd --data DIR --enclave PATH [options]\n"
    "\n"
    "  --data DIR              folder for blobs, log and the enclave's state; made if need be\n"
    "  --enclave PATH          the apex-enclave binary, an image's apex-enclave-vm, or where "
    "one\n"
    "                          that others started is: unix:PATH, vsock:CID:PORT\n"
    "  --listen ADDRESS:PORT   where to serve; port 0 takes a free one (default "
    "127.0.0.1:8440)\n"
    "  --tee sim|tsm|nitro     what vouches for the enclave (default sim: simulated, for "
    "development)\n"
    "  --enclave-state DIR     the enclave's own folder (default DIR/enclave under --data)\n"
    "  --join                  start no log: wait for a root secret from a peer or from "
    "shares\n"
    "  --peers FILE            sim only: the trust policy for enclaves to share the root with\n"
    "  --recovery FILE         sim only: who holds recovery shares; an image brings its own\n"
    "  --witness URL           shows each checkpoint to this witness (c2sp.org/tlog-witness); "
    "again for more, at most 16\n"
    "  --deployer KEY          only who signs with this key may deploy contracts; again for "
    "more, at most 64\n"
    "  --connections N         at most N connections (default 512)\n"
    "  --idle-s N              close connections silent for N seconds (default 30)\n"
    "  --head-s N              a request's head must be here within N seconds (default 60)\n"
    "  --body-s N              after N seconds a body must come at 1 KiB/s or more (default "
    "30)\n"
    "  --message-timeout-s N   wait N seconds for the enclave's reply (default 60)\n"
    "  --max-blob-mib N        refuse blobs above N MiB (default 65536)\n"
    "  --reserve-mib N         uploads leave N MiB of the disk free, for the log (default 64)\n"
    "  --chain URL             JSON-RPC of an Ethereum-compatible chain; with it, and only "
    "then:\n"
    "  --registry ADDRESS      the registry there (apex-chain deploy)\n"
    "  --chain-key FILE        the key that pays for gas (apex-chain key)\n"
    "  --chain-id N            refuse any other chain (default: the one first met)\n"
    "  --chain-confirmations N a transaction counts N blocks deep (default 12)\n"
    "  --chain-every-s N       transactions are at least N seconds apart (default 60)\n"
    "  --chain-max-fee-gwei N  pay no more for a unit of gas (default 200)\n"
    "  --help, --version\n"
    "\n"
    "It prints `apexd: listening on http://ADDRESS:PORT` when it serves; its log goes to "
    "stderr.\n"
    "SIGTERM or SIGINT end it cleanly. Exit: 0 ended as asked, 2 usage, 3 bad data folder, 5 "
    "anything else.\n"
    "docs/http.md is the HTTP interface.\n";

struct number {
    const char *name;
    uint64_t *value;
    uint64_t min, max;
};
struct text {
    const char *name;
    const char **value;
};

static apex_status number_set(const struct number *n, const char *text, const char **what)
{
    if (decimal_parse(text, n->value) == APEX_OK && *n->value >= n->min && *n->value <= n->max)
        return APEX_OK;
    *what = "needs a whole number within its bounds, not";
    return APEX_E_USAGE;
}

static apex_status witness_add(struct options *o, const char *value, const char **what)
{
    *what = "is one witness too many: 16 are asked at most";
    if (o->n_witnesses == WITNESSES_MAX) return APEX_E_USAGE;
    o->witness[o->n_witnesses++] = value;
    return APEX_OK;
}

static apex_status deployer_add(struct options *o, const char *value, const char **what)
{
    *what =
        "needs a key of 64 lower-case hex digits, the `sign` of `apex id show`, for 64 at most";
    if (o->n_deployers == DEPLOYERS_MAX ||
        hex_parse(span_text(value), o->deployer[o->n_deployers], 32) != APEX_OK)
        return APEX_E_USAGE;
    o->n_deployers++;
    return APEX_OK;
}

static apex_status option_set(struct options *o, const char *name, const char *value,
                              const char **what)
{
    const struct text texts[] = {{"--data", &o->data},
                                 {"--enclave", &o->enclave},
                                 {"--listen", &o->listen},
                                 {"--tee", &o->tee},
                                 {"--enclave-state", &o->enclave_state},
                                 {"--peers", &o->peers},
                                 {"--recovery", &o->recovery},
                                 {"--chain", &o->chain},
                                 {"--registry", &o->registry},
                                 {"--chain-key", &o->chain_key}};
    const struct number numbers[] = {
        {"--connections", &o->connections, 1, 10000},
        {"--idle-s", &o->idle_s, 1, 3600},
        {"--head-s", &o->head_s, 1, 3600},
        {"--body-s", &o->body_s, 1, 3600},
        {"--message-timeout-s", &o->message_timeout_s, 1, 3600},
        {"--max-blob-mib", &o->blob_max_mib, 1, 1 << 30},
        {"--reserve-mib", &o->reserve_mib, 0, 1 << 30},
        {"--chain-id", &o->chain_id, 1, INT64_MAX},
        {"--chain-confirmations", &o->chain_confirmations, 1, 10000},
        {"--chain-every-s", &o->chain_every_s, 0, 86400},
        {"--chain-max-fee-gwei", &o->chain_max_fee_gwei, 1, 1000000}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].value = value;
            return APEX_OK;
        }
    if (strcmp(name, "--witness") == 0) return witness_add(o, value, what);
    if (strcmp(name, "--deployer") == 0) return deployer_add(o, value, what);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0) return number_set(&numbers[i], value, what);
    *what = "is no option of apexd";
    return APEX_E_USAGE;
}

static apex_status options_check(const struct options *o, const char **what, const char **which)
{
    *which = "";
    if (!o->data)
        *what = "--data DIR is missing: where blobs and the log are kept";
    else if (!o->enclave)
        *what = "--enclave PATH is missing: the apex-enclave binary";
    else if (strcmp(o->tee, "sim") != 0 && strcmp(o->tee, "tsm") != 0 &&
             strcmp(o->tee, "nitro") != 0)
        *what = "--tee is one of sim, tsm, nitro";
    else if ((!o->chain) != (!o->registry) || (!o->chain) != (!o->chain_key))
        *what = "--chain, --registry and --chain-key go together";
    else
        return APEX_OK;
    return APEX_E_USAGE;
}

apex_status options_parse(int argc, char **argv, struct options *o, const char **what,
                          const char **which)
{
    *o = (struct options){.listen = "127.0.0.1:8440",
                          .tee = "sim",
                          .connections = 512,
                          .idle_s = 30,
                          .head_s = 60,
                          .body_s = 30,
                          .message_timeout_s = 60,
                          .blob_max_mib = 65536,
                          .reserve_mib = 64,
                          .chain_confirmations = 12,
                          .chain_every_s = 60,
                          .chain_max_fee_gwei = 200};
    for (int i = 1; i < argc; i++) {
        *which = argv[i];
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            o->help = true;
        else if (strcmp(argv[i], "--version") == 0)
            o->version = true;
        else if (strcmp(argv[i], "--join") == 0)
            o->join = true;
        else if (strncmp(argv[i], "--", 2) != 0) {
            *what = "is no option of apexd";
            return APEX_E_USAGE;
        } else if (i + 1 == argc) {
            *what = "is no option of apexd, or its value is missing";
            return APEX_E_USAGE;
        } else {
            apex_status s = option_set(o, argv[i], argv[i + 1], what);
            if (s != APEX_OK) return s;
            i++;
        }
    }
    return o->help || o->version ? APEX_OK : options_check(o, what, which);
}

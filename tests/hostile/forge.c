/* A hostile client: sends acts that `apex` never would, and says what the enclave answered.
 * tests/hostile/forge.py runs it against a real node: forge HOME URL ADDRESS STOLEN-BLOB-HEX */
#include "client/lib/node.h"
#include "common/base/hex.h"
#include "common/crypto/random.h"

#include <stdio.h>
#include <stdlib.h>

static struct apex_node *node;
static struct apex_identity *identity;
static int failures;

static void expect(bool good, const char *sentence, unsigned code)
{
    printf("%s - %s\n", good ? "ok" : "not ok", sentence);
    if (!good) printf("# the enclave answered %s\n", refusal_text(code)->name);
    failures += !good;
}

static void must(apex_status s)
{
    if (s == APEX_OK) return;
    printf("not ok - the forger is set up\n");
    exit(1);
}

/* Sends raw bytes as an act; the refusal's code, 0 when it was taken. */
static unsigned send_raw(struct span bytes)
{
    BUFFER_CLEARED answer = {0};
    struct reply reply = {0};
    struct apex_error error;
    apex_status s = node_message(node, MESSAGE_ACT, bytes, &answer, &reply, &error);
    if (s != APEX_OK && reply.code == 0) return 255;
    return reply.code;
}

static void act_bytes(struct act *act, struct buffer *out)
{
    BUFFER_CLEARED payload = {0};
    if (act->time_ms == 0) act->time_ms = wall_clock_ms();
    random_bytes(act->nonce, sizeof act->nonce);
    act_write(act, &payload);
    must(cose_sign(&identity->sign, SPAN_TEXT(ACT_AAD), buffer_span(&payload), out));
}

static unsigned send_act(struct act act)
{
    BUFFER_CLEARED bytes = {0};
    act_bytes(&act, &bytes);
    return send_raw(buffer_span(&bytes));
}

static void stolen(const uint8_t address[32], const uint8_t blob[32])
{
    struct act act = {.kind = ACT_CONTRIBUTE, .name = SPAN_TEXT("customers")},
               run = {.kind = ACT_RUN, .name = SPAN_TEXT("sites")};
    memcpy(act.address, address, 32);
    memcpy(act.blob, blob, 32);
    unsigned code = send_act(act);
    expect(code == REFUSAL_BAD_ROWS || code == REFUSAL_DUPLICATE,
           "another party's ciphertext cannot be contributed as one's own", code);
    memcpy(run.address, address, 32);
    memcpy(run.blob, blob, 32);
    code = send_act(run);
    expect(code == REFUSAL_BAD_MESSAGE, "another party's ciphertext is no request of one's own",
           code);
    random_bytes(act.blob, 32);
    code = send_act(act);
    expect(code == REFUSAL_BLOB_MISSING, "a ciphertext that is not there cannot be contributed",
           code);
}

static void forged(const uint8_t address[32])
{
    struct act act = {.kind = ACT_ACCEPT};
    BUFFER_CLEARED bytes = {0};
    unsigned silent = 0, code = 0;
    memcpy(act.address, address, 32);
    act_bytes(&act, &bytes);
    for (size_t bit = 0; bit < 8 * bytes.len; bit += 5) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        code = send_raw(buffer_span(&bytes));
        silent += code != REFUSAL_BAD_SIGNATURE && code != REFUSAL_BAD_MESSAGE;
        bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    expect(silent == 0, "an act with any bit flipped is refused for its signature or form",
           code);
    for (size_t len = 0; len < bytes.len; len += 7)
        silent += send_raw(span_of(bytes.data, len)) == 0;
    expect(silent == 0, "an act cut short is refused", code);
}

static void seen(const uint8_t address[32])
{
    struct act act = {.kind = ACT_ACCEPT, .seen_size = node->seen.size};
    memcpy(act.address, address, 32);
    memcpy(act.seen_root, node->seen.root.bytes, 32);
    act.seen_root[0] ^= 1;
    unsigned code = send_act(act);
    expect(code == REFUSAL_UNKNOWN_CHECKPOINT,
           "an enclave whose log lacks the checkpoint its client saw refuses", code);
    act.seen_root[0] ^= 1;
    act.seen_size += 1000;
    code = send_act(act);
    expect(code == REFUSAL_UNKNOWN_CHECKPOINT, "and so does one whose log is shorter", code);
    act.seen_size -= 1000;
    act.time_ms = wall_clock_ms() - 16 * 60 * 1000;
    code = send_act(act);
    expect(code == REFUSAL_STALE_TIME, "an act from sixteen minutes ago is refused", code);
}

static void twice(const uint8_t address[32])
{
    struct act act = {.kind = ACT_RUN, .name = SPAN_TEXT("sites")},
               close_act = {.kind = ACT_CLOSE};
    BUFFER_CLEARED bytes = {0};
    memcpy(act.address, address, 32);
    random_bytes(act.blob, 32);
    unsigned code = send_act(act);
    expect(code == REFUSAL_BLOB_MISSING, "a run whose request is not there is refused", code);
    memcpy(close_act.address, address, 32);
    act_bytes(&close_act, &bytes);
    code = send_raw(buffer_span(&bytes));
    expect(code == 0, "a party with the right closes its contract", code);
    code = send_raw(buffer_span(&bytes));
    expect(code == REFUSAL_REPLAYED, "the same act sent again is in the log already", code);
}

/* Only what a changed enclave must say to an act on a contract that does not name it. */
static void unnamed(const uint8_t address[32])
{
    struct act act = {.kind = ACT_CONTRIBUTE, .name = SPAN_TEXT("customers")};
    memcpy(act.address, address, 32);
    unsigned code = send_act(act);
    expect(code == REFUSAL_WRONG_MEASUREMENT,
           "an enclave that a contract does not name takes nothing for it", code);
}

static void garbage(void)
{
    uint8_t bytes[300];
    unsigned taken = 0, code = 0;
    for (int i = 0; i < 300; i++) {
        random_bytes(bytes, sizeof bytes);
        code = send_raw(span_of(bytes, (size_t)i));
        taken += code == 0;
    }
    expect(taken == 0, "random bytes are no act, and the enclave goes on", code);
}

int main(int argc, char **argv)
{
    struct apex_error error;
    struct apex_home *home;
    uint8_t address[32], blob[32];
    bool only_unnamed = argc == 6 && strcmp(argv[5], "unnamed") == 0;
    if (argc != 5 && !only_unnamed) return 2;
    must(apex_start(&error));
    must(apex_home_open(argv[1], &home, &error));
    must(apex_identity_open(home, NULL, NULL, &identity, &error));
    must(apex_node_open(home, argv[2], &node, &error));
    must(address_of(argv[3], address, &error));
    must(hex_parse(span_text(argv[4]), blob, 32));
    if (only_unnamed)
        unnamed(address);
    else {
        stolen(address, blob);
        forged(address);
        seen(address);
        garbage();
        twice(address);
    }
    apex_node_close(node);
    apex_identity_free(identity);
    apex_home_close(home);
    return failures ? 1 : 0;
}

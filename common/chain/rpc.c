#include "common/chain/rpc.h"

#include "common/base/hex.h"
#include "common/base/try.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_TIMEOUT_MS = 5000 };

struct rpc {
    CURL *curl;
    char url[RPC_URL_MAX];
    unsigned timeout_ms;
    uint64_t id;
    struct buffer reply;
    bool too_long;
};

static size_t take(char *bytes, size_t one, size_t n, void *context)
{
    struct rpc *r = context;
    if (r->reply.len + one * n > RPC_REPLY_MAX) {
        r->too_long = true;
        return 0;
    }
    buffer_append(&r->reply, span_of(bytes, one * n));
    return buffer_ok(&r->reply) == APEX_OK ? one * n : 0;
}

apex_status rpc_open(const char *url, unsigned timeout_ms, struct rpc **rpc,
                     struct chain_fault *fault)
{
    if (strlen(url) >= RPC_URL_MAX ||
        (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
        return chain_fail(fault, APEX_E_USAGE, CHAIN_RPC_UNREACHABLE,
                          "the chain's address is not of the form http://HOST:PORT or "
                          "https://HOST");
    struct rpc *r = calloc(1, sizeof *r);
    if (!r || !(r->curl = curl_easy_init())) {
        free(r);
        return chain_fail(fault, APEX_E_MEMORY, CHAIN_RPC_UNREACHABLE, "out of memory");
    }
    snprintf(r->url, sizeof r->url, "%s", url);
    r->timeout_ms = timeout_ms ? timeout_ms : RPC_TIMEOUT_MS;
    *rpc = r;
    return APEX_OK;
}

void rpc_close(struct rpc *rpc)
{
    if (!rpc) return;
    curl_easy_cleanup(rpc->curl);
    buffer_clear(&rpc->reply);
    free(rpc);
}

static CURLcode post(struct rpc *r, const char *body)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_reset(r->curl); /* keeps the connection */
    curl_easy_setopt(r->curl, CURLOPT_URL, r->url);
    curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(r->curl, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, r);
    CURLcode code = curl_easy_perform(r->curl);
    curl_slist_free_all(headers);
    return code;
}

static apex_status exchange(struct rpc *r, const char *body, struct chain_fault *fault)
{
    long status = 0;
    buffer_clear(&r->reply);
    r->too_long = false;
    CURLcode code = post(r, body);
    if (r->too_long)
        return chain_fail(fault, APEX_E_LIMIT, CHAIN_RPC_TOO_LONG,
                          "the RPC's answer is longer than %d MiB; it was not used",
                          RPC_REPLY_MAX >> 20);
    if (code != CURLE_OK)
        return chain_fail(fault, APEX_E_UNREACHABLE, CHAIN_RPC_UNREACHABLE,
                          code == CURLE_OPERATION_TIMEDOUT
                              ? "the RPC gave no whole answer in time: %s"
                              : "the RPC does not answer: %s",
                          curl_easy_strerror(code));
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 429 || status >= 500)
        return chain_fail(fault, APEX_E_UNREACHABLE, CHAIN_RPC_UNREACHABLE,
                          "the RPC answered %ld", status);
    return APEX_OK;
}

apex_status rpc_malformed(struct chain_fault *fault, const char *what)
{
    return chain_fail(fault, APEX_E_FORMAT, CHAIN_RPC_MALFORMED, "the RPC's answer is %s",
                      what);
}

/* An RPC's own words are shown cut short and without anything a terminal would act on. */
static apex_status said_no(const json_t *error, struct chain_fault *fault)
{
    char words[120] = "no reason given";
    const char *message = json_string_value(json_object_get(error, "message"));
    if (message) snprintf(words, sizeof words, "%s", message);
    for (char *p = words; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e) *p = '?';
    return chain_fail(fault, APEX_E_REFUSED, CHAIN_RPC_SAID_NO, "the RPC refused: %s", words);
}

apex_status rpc_reply_parse(struct span text, uint64_t id, json_t **result,
                            struct chain_fault *fault)
{
    json_t *reply =
        text.len ? json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL)
                 : NULL;
    const json_t *version = json_object_get(reply, "jsonrpc"),
                 *number = json_object_get(reply, "id"),
                 *error = json_object_get(reply, "error");
    json_t *good = json_object_get(reply, "result");
    apex_status s = APEX_OK;
    if (!json_is_object(reply) || !json_is_string(version) ||
        strcmp(json_string_value(version), "2.0") != 0)
        s = rpc_malformed(fault, "not JSON-RPC");
    else if (!json_is_integer(number) || (uint64_t)json_integer_value(number) != id)
        s = rpc_malformed(fault, "to another request");
    else if (json_is_object(error) && !good)
        s = said_no(error, fault);
    else if (error && !json_is_null(error))
        s = rpc_malformed(fault, "both a result and an error");
    else if (!good)
        s = rpc_malformed(fault, "neither a result nor an error");
    if (s == APEX_OK) *result = json_incref(good);
    json_decref(reply);
    return s;
}

apex_status rpc_call(struct rpc *rpc, const char *method, json_t *params, json_t **result,
                     struct chain_fault *fault)
{
    json_t *request =
        json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", (json_int_t)++rpc->id,
                  "method", method, "params", params ? params : json_array());
    char *body = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    *result = NULL;
    if (!body) return chain_fail(fault, APEX_E_MEMORY, CHAIN_RPC_UNREACHABLE, "out of memory");
    apex_status s = exchange(rpc, body, fault);
    free(body);
    return s == APEX_OK ? rpc_reply_parse(buffer_span(&rpc->reply), rpc->id, result, fault) : s;
}

/* The digits after "0x". */
static apex_status digits_of(const json_t *j, struct span *digits)
{
    const char *text = json_string_value(j);
    size_t len = json_string_length(j);
    if (!text || len < 2 || text[0] != '0' || text[1] != 'x') return APEX_E_FORMAT;
    *digits = span_of(text + 2, len - 2);
    return APEX_OK;
}

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

apex_status rpc_quantity(const json_t *j, uint64_t *value)
{
    struct span d;
    uint64_t v = 0;
    TRY(digits_of(j, &d));
    if (d.len < 1 || d.len > 16 || (d.data[0] == '0' && d.len > 1)) return APEX_E_FORMAT;
    for (size_t i = 0; i < d.len; i++) {
        int n = digit(d.data[i]);
        if (n < 0) return APEX_E_FORMAT;
        v = v << 4 | (unsigned)n;
    }
    *value = v;
    return APEX_OK;
}

static apex_status pairs_read(struct span d, uint8_t *out)
{
    for (size_t i = 0; i < d.len / 2; i++) {
        int high = digit(d.data[2 * i]), low = digit(d.data[2 * i + 1]);
        if (high < 0 || low < 0) return APEX_E_FORMAT;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return APEX_OK;
}

apex_status rpc_data(const json_t *j, size_t max, struct buffer *out)
{
    struct span d;
    TRY(digits_of(j, &d));
    if (d.len % 2) return APEX_E_FORMAT;
    if (d.len / 2 > max) return APEX_E_LIMIT;
    if (d.len == 0) return APEX_OK;
    uint8_t *room = buffer_reserve(out, d.len / 2);
    if (!room) return APEX_E_MEMORY;
    TRY(pairs_read(d, room));
    out->len += d.len / 2;
    return APEX_OK;
}

apex_status rpc_data_exact(const json_t *j, uint8_t *out, size_t len)
{
    struct span d;
    TRY(digits_of(j, &d));
    return d.len == 2 * len ? pairs_read(d, out) : APEX_E_FORMAT;
}

json_t *rpc_hex(struct span bytes)
{
    char *text = malloc(2 * bytes.len + 3);
    if (!text) return NULL;
    memcpy(text, "0x", 3);
    if (bytes.len) hex_write(bytes, text + 2);
    json_t *j = json_string(text);
    free(text);
    return j;
}

json_t *rpc_number(uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
    return json_string(text);
}

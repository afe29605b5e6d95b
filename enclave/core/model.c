#include "enclave/core/model.h"

#include "common/base/endian.h"
#include "common/base/try.h"
#include "common/wire/package.h"
#include "enclave/core/host.h"
#include "include/apex/contract.h"

struct span model_split(struct jail_result *result)
{
    static const uint8_t magic[8] = APEX_MODEL_MAGIC;
    size_t len = result->output_len;
    if (len < APEX_MODEL_TRAILER) return (struct span){0};
    const uint8_t *trailer = result->output + len - APEX_MODEL_TRAILER;
    if (memcmp(trailer, magic, sizeof magic) != 0) return (struct span){0};
    uint64_t model = get_be64(trailer + sizeof magic);
    if (model > len - APEX_MODEL_TRAILER) return (struct span){0};
    result->output_len = len - APEX_MODEL_TRAILER - (size_t)model;
    return span_of(result->output + result->output_len, (size_t)model);
}

static size_t info_of(const struct contract *c, const struct run *run,
                      uint8_t info[static INFO_MAX])
{
    uint8_t index[8];
    put_be64(index, run->index);
    return seal_info("apex/model/v1", c->address, SPAN(index), info);
}

apex_status model_keep(struct link *link, const struct contract *c, const struct run *run,
                       struct span model, uint8_t blob[static 32])
{
    BUFFER_CLEARED sealed = {0};
    uint8_t info[INFO_MAX];
    uint8_t *room = buffer_reserve(&sealed, model.len + HPKE_OVERHEAD);
    if (!room) return APEX_E_MEMORY;
    size_t info_len = info_of(c, run, info);
    TRY(hpke_seal(&c->key, span_of(info, info_len), (struct span){0}, model, room));
    return host_blob_put(link, span_of(room, model.len + HPKE_OVERHEAD), blob);
}

static enum refusal blob_refusal(apex_status s)
{
    switch (s) {
    case APEX_OK: return REFUSAL_NONE;
    case APEX_E_NOT_FOUND: return REFUSAL_BLOB_MISSING;
    case APEX_E_UNTRUSTED: return REFUSAL_BLOB_TAMPERED;
    case APEX_E_LIMIT:
    case APEX_E_IO: return REFUSAL_STORAGE;
    default: return REFUSAL_INTERNAL;
    }
}

static apex_status file_fill(struct span plain, struct memory_file **file)
{
    struct memory_file *f;
    TRY(memory_file_new("model", &f));
    apex_status s = memory_file_append(f, plain);
    if (s == APEX_OK) s = memory_file_seal(f);
    if (s == APEX_OK)
        *file = f;
    else
        memory_file_free(f);
    return s;
}

enum refusal model_open(struct link *link, const struct contract *c, const struct run *run,
                        struct memory_file **file)
{
    BUFFER_CLEARED sealed = {0};
    BUFFER_CLEARED plain = {0};
    uint8_t info[INFO_MAX];
    enum refusal no = blob_refusal(host_blob(link, run->model, RESULT_MAX, &sealed));
    if (no != REFUSAL_NONE) return no;
    if (sealed.len <= HPKE_OVERHEAD) return REFUSAL_BLOB_TAMPERED;
    uint8_t *room = buffer_reserve(&plain, sealed.len - HPKE_OVERHEAD);
    if (!room) return REFUSAL_INTERNAL;
    size_t info_len = info_of(c, run, info);
    if (hpke_open(c->secret, span_of(info, info_len), (struct span){0}, buffer_span(&sealed),
                  room) != APEX_OK)
        return REFUSAL_BLOB_TAMPERED;
    return file_fill(span_of(room, sealed.len - HPKE_OVERHEAD), file) == APEX_OK
               ? REFUSAL_NONE
               : REFUSAL_INTERNAL;
}

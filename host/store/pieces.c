#include "host/store/internal.h"

#include <unistd.h>

/* Takes the piece out of others' hands while it is worked on; a token in use elsewhere is as
 * good as unknown. */
static struct piece *piece_take(struct store *store, uint64_t token)
{
    struct piece *found = NULL;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < STORE_PIECES_MAX && !found; i++) {
        struct piece *p = &store->pieces[i];
        if (p->token == token && !p->busy) found = p;
    }
    if (found) found->busy = true;
    if (found && token == 0) found->token = store->next_token++;
    pthread_mutex_unlock(&store->lock);
    return found;
}

static void piece_give_back(struct store *store, struct piece *piece, bool keep)
{
    pthread_mutex_lock(&store->lock);
    if (keep)
        piece->busy = false;
    else
        *piece = (struct piece){0};
    pthread_mutex_unlock(&store->lock);
}

static void piece_remove(struct store *store, struct piece *piece)
{
    close(piece->fd);
    unlinkat(store->tmp_dir, piece->name, 0);
}

apex_status store_piece_append(struct store *store, uint64_t *token, struct span bytes)
{
    struct piece *piece = piece_take(store, *token);
    if (!piece) return *token == 0 ? APEX_E_REFUSED : APEX_E_NOT_FOUND;
    if (*token == 0) {
        apex_status s = tmp_create(store, piece->name, &piece->fd);
        if (s != APEX_OK) {
            piece_give_back(store, piece, false);
            return s;
        }
        merkle_digester_init(&piece->digester);
    }
    apex_status s = bytes.len > store->options.blob_max - piece->len ? APEX_E_LIMIT : APEX_OK;
    if (s == APEX_OK) s = disk_write(piece->fd, piece->len, bytes);
    if (s == APEX_OK) {
        merkle_digester_update(&piece->digester, bytes);
        piece->len += bytes.len;
        *token = piece->token;
    } else
        piece_remove(store, piece);
    piece_give_back(store, piece, s == APEX_OK);
    return s;
}

apex_status store_piece_finish(struct store *store, uint64_t token,
                               uint8_t digest[static STORE_DIGEST_LEN])
{
    struct piece *piece = token == 0 ? NULL : piece_take(store, token);
    if (!piece) return APEX_E_NOT_FOUND;
    apex_status s = disk_sync(piece->fd);
    if (s == APEX_OK) {
        merkle_digester_final(&piece->digester, digest);
        close(piece->fd);
        s = store_publish(store, store->tmp_dir, piece->name, digest);
    } else
        piece_remove(store, piece);
    piece_give_back(store, piece, false);
    return s;
}

void store_pieces_drop(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < STORE_PIECES_MAX; i++) {
        struct piece *p = &store->pieces[i];
        if (p->token == 0 || p->busy) continue;
        piece_remove(store, p);
        *p = (struct piece){0};
    }
    pthread_mutex_unlock(&store->lock);
}

#include "client/ui/room.h"

#include "client/ui/child.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAR_MS = 100 };

struct room {
    pthread_mutex_t lock;
    pthread_t thread;
    bool running, ends;
    const char *state;
    char stage[64];
    json_t *made; /* what the demo says it made */
    char *why;    /* it failed */
};

struct room *room_new(void)
{
    struct room *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    pthread_mutex_init(&r->lock, NULL);
    r->state = "closed";
    return r;
}

static void on_told(void *context, const char *stage, uint64_t done, uint64_t total)
{
    struct room *r = context;
    (void)done;
    (void)total;
    pthread_mutex_lock(&r->lock);
    snprintf(r->stage, sizeof r->stage, "%s", stage);
    pthread_mutex_unlock(&r->lock);
}

/* Its first line, once it is whole. */
static void made_take(struct room *r, const struct child *c)
{
    const char *end = c->text ? strchr(c->text, '\n') : NULL;
    if (!end || r->made) return;
    json_t *made = json_loadb(c->text, (size_t)(end - c->text), 0, NULL);
    if (!json_is_array(json_object_get(made, "parties"))) {
        json_decref(made);
        return;
    }
    pthread_mutex_lock(&r->lock);
    r->made = made;
    r->state = "open";
    pthread_mutex_unlock(&r->lock);
}

static void ended(struct room *r, const struct child *c)
{
    pthread_mutex_lock(&r->lock);
    json_decref(r->made);
    r->made = NULL;
    r->state = r->ends ? "closed" : "failed";
    free(r->why);
    r->why = strdup(c->complaint_len ? c->complaint : "the demo did not start");
    pthread_mutex_unlock(&r->lock);
}

static void *keep(void *context)
{
    char apex[] = "apex", demo[] = "demo", room[] = "--room", json[] = "--json";
    char *const words[] = {apex, demo, room, json, NULL};
    struct room *r = context;
    struct child c;
    if (!child_start(&c, words)) {
        ended(r, &c);
        return NULL;
    }
    for (bool over = false, asked = false; !over;) {
        over = child_hear(&c, HEAR_MS, on_told, r);
        made_take(r, &c);
        pthread_mutex_lock(&r->lock);
        bool ends = r->ends;
        pthread_mutex_unlock(&r->lock);
        if (ends && !asked) child_stop(&c);
        asked = ends;
    }
    ended(r, &c);
    child_clear(&c);
    return NULL;
}

void room_close(struct room *r)
{
    pthread_mutex_lock(&r->lock);
    bool was = r->running;
    r->ends = true;
    r->running = false;
    pthread_mutex_unlock(&r->lock);
    if (was) pthread_join(r->thread, NULL);
}

void room_open(struct room *r)
{
    pthread_mutex_lock(&r->lock);
    bool dead = r->running && strcmp(r->state, "failed") == 0;
    pthread_mutex_unlock(&r->lock);
    if (dead) room_close(r);
    pthread_mutex_lock(&r->lock);
    if (!r->running) {
        r->ends = false;
        r->state = "opening";
        snprintf(r->stage, sizeof r->stage, "starting a simulated node");
        r->running = pthread_create(&r->thread, NULL, keep, r) == 0;
    }
    pthread_mutex_unlock(&r->lock);
}

void room_free(struct room *r)
{
    if (!r) return;
    room_close(r);
    json_decref(r->made);
    free(r->why);
    free(r);
}

json_t *room_show(struct room *r)
{
    pthread_mutex_lock(&r->lock);
    json_t *t = r->made ? json_deep_copy(r->made) : json_object();
    json_object_set_new(t, "state", json_string(r->state));
    json_object_set_new(t, "stage", json_string(r->stage));
    if (strcmp(r->state, "failed") == 0)
        json_object_set_new(t, "why", json_string(r->why ? r->why : ""));
    pthread_mutex_unlock(&r->lock);
    return t;
}

static const char *text_of(const json_t *t, const char *key)
{
    const char *text = json_string_value(json_object_get(t, key));
    return text ? text : "";
}

bool room_place(struct room *r, const char *name, struct place *p)
{
    bool found = false;
    pthread_mutex_lock(&r->lock);
    const json_t *parties = json_object_get(r->made, "parties");
    for (size_t i = 0; i < json_array_size(parties) && !found; i++) {
        const json_t *party = json_array_get(parties, i);
        if (strcmp(text_of(party, "name"), name) != 0) continue;
        *p = (struct place){.room = true};
        snprintf(p->id, sizeof p->id, "%s", name);
        snprintf(p->home, sizeof p->home, "%s", text_of(party, "home"));
        snprintf(p->node, sizeof p->node, "%s", text_of(r->made, "node"));
        found = true;
    }
    pthread_mutex_unlock(&r->lock);
    return found;
}

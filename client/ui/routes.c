/* The addresses of the page's server; docs/ui.md lists them. */
#include "client/ui/assets.h"
#include "client/ui/request.h"
#include "include/apex/apex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MAX_MS = 20000 };

static bool is(const struct request *r, size_t at, const char *word)
{
    return at < r->n_parts && strcmp(r->part[at], word) == 0;
}

static bool is_get(const struct request *r)
{
    return strcmp(r->method, "GET") == 0;
}

static bool is_post(const struct request *r)
{
    return strcmp(r->method, "POST") == 0;
}

static bool is_delete(const struct request *r)
{
    return strcmp(r->method, "DELETE") == 0;
}

static answered not_found(struct request *r)
{
    return answer_error(r, 404, "there is nothing at this address", "see docs/ui.md");
}

/* /api/PLACE/…: "own", or a party of the room. */
static bool place_find(struct request *r)
{
    struct ui *ui = r->ui;
    if (!is(r, 0, "api") || r->n_parts < 3) return false;
    if (!is(r, 1, "own")) return room_place(ui->room, r->part[1], &r->place);
    pthread_mutex_lock(&ui->lock);
    r->place = ui->own;
    pthread_mutex_unlock(&ui->lock);
    return true;
}

const char *route_begin(struct request *r)
{
    const char *name = request_query(r, "name");
    if (is(r, 0, "api") && r->n_parts >= 3 && !is(r, 1, "jobs") && !place_find(r))
        return "there is no such place";
    if (!is_post(r) || !is(r, 2, "files") || r->n_parts != 3) return NULL;
    if (!place_prepare(&r->place)) return "the data folder cannot be written";
    r->upload = place_upload_new(&r->place, name ? name : "rows", r->upload_id);
    return r->upload >= 0 ? NULL : "the data folder cannot be written";
}

static answered page(struct request *r)
{
    char path[PART_MAX * PARTS_MAX + 16] = "/";
    for (size_t i = 0; i < r->n_parts; i++)
        snprintf(path + strlen(path), sizeof path - strlen(path), "%s%s", i ? "/" : "",
                 r->part[i]);
    if (r->n_parts == 0) snprintf(path, sizeof path, "/index.html");
    for (size_t i = 0; i < ui_n_assets; i++)
        if (strcmp(ui_assets[i].path, path) == 0)
            return answer_bytes(r, 200, ui_assets[i].type, ui_assets[i].gzip, ui_assets[i].len,
                                true, r->n_parts > 1);
    return not_found(r);
}

/* Before the first paint, so that no wrong theme is seen. */
static answered preferences_script(struct request *r)
{
    char text[160];
    pthread_mutex_lock(&r->ui->lock);
    snprintf(text, sizeof text,
             "document.documentElement.dataset.theme='%s';"
             "document.documentElement.dataset.units='%s';\n",
             r->ui->theme, r->ui->units);
    pthread_mutex_unlock(&r->ui->lock);
    return answer_text(r, 200, "text/javascript; charset=utf-8", text);
}

static json_t *body_json(const struct request *r)
{
    return r->body ? json_loadb(r->body, r->body_len, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

static void word_take(const json_t *tree, const char *key, char *to, size_t len)
{
    const char *text = json_string_value(json_object_get(tree, key));
    if (text && strlen(text) < len) snprintf(to, len, "%s", text);
}

static bool among(const char *word, const char *const *words)
{
    while (*words && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

static answered preferences(struct request *r)
{
    static const char *const themes[] = {"system", "dark", "light", NULL}, *const units[] = {
                                                                               "km", "miles",
                                                                               NULL};
    char theme[16] = "", unit[16] = "", path[PLACE_PATH_MAX];
    json_t *in = body_json(r);
    word_take(in, "theme", theme, sizeof theme);
    word_take(in, "units", unit, sizeof unit);
    json_decref(in);
    pthread_mutex_lock(&r->ui->lock);
    if (among(theme, themes)) snprintf(r->ui->theme, sizeof r->ui->theme, "%.7s", theme);
    if (among(unit, units)) snprintf(r->ui->units, sizeof r->ui->units, "%.11s", unit);
    json_t *kept = json_pack("{s:s, s:s}", "theme", r->ui->theme, "units", r->ui->units);
    snprintf(path, sizeof path, "%.3800s/ui/preferences.json", r->ui->own.home);
    (void)json_dump_file(kept, path, JSON_INDENT(1));
    pthread_mutex_unlock(&r->ui->lock);
    return answer_json(r, 200, kept);
}

static json_t *place_json(const struct place *p)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b}", "id", p->id, "home", p->home, "node", p->node,
                     "as", p->as, "room", p->room);
}

static answered session(struct request *r)
{
    pthread_mutex_lock(&r->ui->lock);
    json_t *t = json_pack("{s:s, s:o, s:o}", "version", r->ui->options->version, "own",
                          place_json(&r->ui->own), "room", room_show(r->ui->room));
    pthread_mutex_unlock(&r->ui->lock);
    return answer_json(r, 200, t);
}

static bool node_like(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

/* Which node the owner's place uses, and as whom. */
static answered own_settings(struct request *r)
{
    char node[sizeof r->ui->own.node] = "", as[sizeof r->ui->own.as] = "";
    json_t *in = body_json(r);
    word_take(in, "node", node, sizeof node);
    word_take(in, "as", as, sizeof as);
    json_decref(in);
    if (!is(r, 1, "own")) return not_found(r);
    if (node[0] && !node_like(node))
        return answer_error(r, 400, "the node's address is not of the form http://HOST:PORT",
                            "copy it from the operator");
    pthread_mutex_lock(&r->ui->lock);
    if (node[0]) memcpy(r->ui->own.node, node, sizeof node);
    if (as[0]) memcpy(r->ui->own.as, as, sizeof as);
    bool kept = place_settings_save(&r->ui->own);
    pthread_mutex_unlock(&r->ui->lock);
    return kept ? session(r)
                : answer_error(r, 507, "the settings could not be kept",
                               "make room on the disk");
}

static answered act(struct request *r)
{
    const char *why = NULL;
    json_t *in = body_json(r);
    if (!json_is_object(in)) {
        json_decref(in);
        return answer_error(r, 400, "the request is not a JSON object", "see docs/ui.md");
    }
    json_int_t wait = json_integer_value(json_object_get(in, "wait_ms"));
    uint64_t id = place_prepare(&r->place) ? jobs_start(r->ui->jobs, &r->place, in, &why) : 0;
    json_decref(in);
    if (id == 0)
        return answer_error(r, 400, why ? why : "the data folder cannot be written",
                            "see docs/ui.md for what can be asked");
    if (wait > 0) jobs_wait(r->ui->jobs, id, wait < WAIT_MAX_MS ? (int)wait : WAIT_MAX_MS);
    return answer_json(r, 200, jobs_show(r->ui->jobs, id));
}

static answered uploaded(struct request *r)
{
    char path[PLACE_PATH_MAX], shown[PLACE_NAME_MAX], hex[65] = "";
    struct apex_error ignored;
    place_upload_path(&r->place, r->upload_id, path, shown);
    if (r->upload_failed) {
        place_upload_forget(&r->place, r->upload_id);
        return answer_error(r, 507, "the disk of this machine is full",
                            "make room, and choose the file again");
    }
    if (apex_program_digest(path, hex, &ignored) != APEX_OK) hex[0] = 0;
    return answer_json(r, 200,
                       json_pack("{s:s, s:s, s:I, s:s}", "id", r->upload_id, "name", shown,
                                 "bytes", (json_int_t)r->upload_len, "sha256", hex));
}

static answered files(struct request *r)
{
    char path[PLACE_PATH_MAX], shown[PLACE_NAME_MAX];
    if (is_post(r) && r->n_parts == 3) return uploaded(r);
    if (is_delete(r) && r->n_parts == 3) {
        place_files_forget(&r->place);
        return answer_json(r, 200, json_object());
    }
    if (r->n_parts != 4 || !place_id_like(r->part[3])) return not_found(r);
    if (is_delete(r)) {
        place_upload_forget(&r->place, r->part[3]);
        return answer_json(r, 200, json_object());
    }
    place_upload_path(&r->place, r->part[3], path, shown);
    return answer_file(r, "text/plain; charset=utf-8", path);
}

static answered results(struct request *r)
{
    char path[PLACE_PATH_MAX], shown[PLACE_NAME_MAX];
    if (r->n_parts == 3) return answer_json(r, 200, place_results(&r->place));
    if (r->n_parts != 4 || !place_result_like(r->part[3])) return not_found(r);
    place_result_path(&r->place, r->part[3], path, shown);
    return answer_file(r, "application/json", path);
}

/* /api/PLACE/WHAT… */
static answered at_place(struct request *r)
{
    if (is_post(r) && is(r, 2, "do") && r->n_parts == 3) return act(r);
    if (is_post(r) && is(r, 2, "settings") && r->n_parts == 3) return own_settings(r);
    if (is(r, 2, "files")) return files(r);
    if (!is_get(r)) return not_found(r);
    if (is(r, 2, "trust")) return answer_json(r, 200, watch_verdict(r->ui->watch, &r->place));
    if (is(r, 2, "jobs")) return answer_json(r, 200, jobs_list(r->ui->jobs, r->place.id));
    if (is(r, 2, "sent")) return answer_json(r, 200, place_sent(&r->place));
    if (is(r, 2, "results")) return results(r);
    return not_found(r);
}

/* /api/jobs/ID[/cancel|/output] */
static answered job(struct request *r)
{
    char path[PLACE_PATH_MAX];
    uint64_t id = strtoull(r->part[2], NULL, 10);
    if (is_post(r) && is(r, 3, "cancel")) {
        jobs_cancel(r->ui->jobs, id);
        jobs_wait(r->ui->jobs, id, 1000);
    }
    if (is_get(r) && is(r, 3, "output"))
        return jobs_output(r->ui->jobs, id, path)
                   ? answer_file(r, "text/plain; charset=utf-8", path)
                   : not_found(r);
    const char *wait = request_query(r, "wait_ms");
    if (wait) jobs_wait(r->ui->jobs, id, (int)strtoul(wait, NULL, 10) % WAIT_MAX_MS);
    json_t *t = jobs_show(r->ui->jobs, id);
    return t ? answer_json(r, 200, t)
             : answer_error(r, 404, "this server knows no such job",
                            "it may be of an earlier session: see Results and Audit");
}

static answered room(struct request *r)
{
    if (is_post(r)) room_open(r->ui->room);
    if (is_delete(r)) room_close(r->ui->room);
    return answer_json(r, 200, room_show(r->ui->room));
}

static answered quit(struct request *r)
{
    atomic_store(&r->ui->ends, true);
    return answer_json(r, 200, json_object());
}

answered route(struct request *r)
{
    if (!is(r, 0, "api")) {
        if (!is_get(r)) return not_found(r);
        return is(r, 0, "preferences.js") ? preferences_script(r) : page(r);
    }
    if (r->too_long)
        return answer_error(r, 413, "the request is longer than 1 MiB", "ask less");
    if (r->n_parts == 2 && is(r, 1, "session") && is_get(r)) return session(r);
    if (r->n_parts == 2 && is(r, 1, "preferences") && is_post(r)) return preferences(r);
    if (r->n_parts == 2 && is(r, 1, "room")) return room(r);
    if (r->n_parts == 2 && is(r, 1, "quit") && is_post(r)) return quit(r);
    if (r->n_parts >= 3 && is(r, 1, "jobs")) return job(r);
    return r->place.id[0] ? at_place(r) : not_found(r);
}

#include "client/ui/places.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

bool place_prepare(const struct place *p)
{
    static const char *const folders[] = {"", "/ui", "/ui/files", "/ui/out", "/results"};
    char path[PLACE_PATH_MAX];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s%s", p->home, folders[i]);
        if (mkdir(path, 0700) != 0 && access(path, W_OK) != 0) return false;
    }
    return true;
}

bool place_id_like(const char *text)
{
    return strlen(text) == PLACE_ID_LEN && strspn(text, "0123456789abcdef") == PLACE_ID_LEN;
}

bool place_result_like(const char *text)
{
    const char *dot = strchr(text, '.');
    if (strncmp(text, "apex1", 5) != 0 || !dot || dot - text != 57) return false;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyz1234567") != 57) return false;
    size_t digits = strspn(dot + 1, "0123456789");
    return digits >= 1 && digits <= 15 && strcmp(dot + 1 + digits, ".json") == 0;
}

static void upload_name(const struct place *p, const char *id,
                        char shown[static PLACE_NAME_MAX])
{
    char path[PLACE_PATH_MAX];
    snprintf(path, sizeof path, "%s/ui/files/%s.name", p->home, id);
    FILE *f = fopen(path, "re");
    shown[0] = 0;
    if (f && !fgets(shown, PLACE_NAME_MAX, f)) shown[0] = 0;
    if (f) fclose(f);
    if (!shown[0]) snprintf(shown, PLACE_NAME_MAX, "FILE");
}

void place_upload_path(const struct place *p, const char *id, char path[static PLACE_PATH_MAX],
                       char shown[static PLACE_NAME_MAX])
{
    snprintf(path, PLACE_PATH_MAX, "%s/ui/files/%s", p->home, id);
    upload_name(p, id, shown);
}

void place_result_path(const struct place *p, const char *name,
                       char path[static PLACE_PATH_MAX], char shown[static PLACE_NAME_MAX])
{
    snprintf(path, PLACE_PATH_MAX, "%s/results/%s", p->home, name);
    snprintf(shown, PLACE_NAME_MAX, "result.json");
}

static bool id_new(char id[static PLACE_ID_LEN + 1])
{
    uint8_t bytes[PLACE_ID_LEN / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

bool place_output_path(const struct place *p, const char *suffix,
                       char path[static PLACE_PATH_MAX])
{
    char id[PLACE_ID_LEN + 1];
    if (!id_new(id)) return false;
    snprintf(path, PLACE_PATH_MAX, "%s/ui/out/%s%s", p->home, id, suffix);
    return true;
}

/* A name to show: one line, no controls, its last part. */
static bool name_keep(const struct place *p, const char *id, const char *name)
{
    char path[PLACE_PATH_MAX];
    const char *slash = strrchr(name, '/');
    snprintf(path, sizeof path, "%s/ui/files/%s.name", p->home, id);
    FILE *f = fopen(path, "we");
    if (!f) return false;
    for (const char *t = slash ? slash + 1 : name; *t && t < name + PLACE_NAME_MAX - 2; t++)
        fputc((unsigned char)*t < 0x20 || *t == 0x7f ? '_' : *t, f);
    return fclose(f) == 0;
}

int place_upload_new(const struct place *p, const char *name, char id[static PLACE_ID_LEN + 1])
{
    char path[PLACE_PATH_MAX];
    if (!id_new(id) || !name_keep(p, id, name)) return -1;
    snprintf(path, sizeof path, "%s/ui/files/%s", p->home, id);
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

void place_upload_forget(const struct place *p, const char *id)
{
    char path[PLACE_PATH_MAX];
    snprintf(path, sizeof path, "%s/ui/files/%s", p->home, id);
    unlink(path);
    snprintf(path, sizeof path, "%s/ui/files/%s.name", p->home, id);
    unlink(path);
}

static void folder_empty(const char *folder)
{
    char path[PLACE_PATH_MAX];
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%.3800s/%.250s", folder, e->d_name);
        unlink(path);
    }
    if (d) closedir(d);
}

void place_files_forget(const struct place *p)
{
    char path[PLACE_PATH_MAX];
    snprintf(path, sizeof path, "%s/ui/files", p->home);
    folder_empty(path);
    snprintf(path, sizeof path, "%s/ui/out", p->home);
    folder_empty(path);
}

bool place_result_keep(const struct place *p, const char *written, const char *address,
                       char name[static 96])
{
    char path[PLACE_PATH_MAX];
    json_t *file = json_load_file(written, JSON_REJECT_DUPLICATES, NULL);
    const json_t *run = json_object_get(json_object_get(file, "receipt"), "run");
    bool fine = json_is_integer(run);
    if (fine) {
        snprintf(name, 96, "%.57s.%lld.json", address, (long long)json_integer_value(run));
        snprintf(path, sizeof path, "%s/results/%s", p->home, name);
        fine = rename(written, path) == 0;
    }
    json_decref(file);
    return fine;
}

static json_t *result_describe(const struct place *p, const char *name)
{
    char path[PLACE_PATH_MAX], shown[PLACE_NAME_MAX];
    struct stat st = {0};
    place_result_path(p, name, path, shown);
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    json_t *receipt = json_object_get(file, "receipt"), *r = json_object();
    (void)!stat(path, &st);
    json_object_set_new(r, "name", json_string(name));
    json_object_set(r, "address", json_object_get(receipt, "address"));
    json_object_set(r, "function", json_object_get(receipt, "function"));
    json_object_set(r, "run", json_object_get(receipt, "run"));
    json_object_set(r, "simulated", json_object_get(receipt, "simulated"));
    json_object_set_new(r, "kept_ms", json_integer((json_int_t)st.st_mtime * 1000));
    json_decref(file);
    return r;
}

json_t *place_results(const struct place *p)
{
    char folder[PLACE_PATH_MAX];
    json_t *all = json_array();
    snprintf(folder, sizeof folder, "%s/results", p->home);
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (place_result_like(e->d_name))
            json_array_append_new(all, result_describe(p, e->d_name));
    if (d) closedir(d);
    return all;
}

static void sent_path(const struct place *p, char path[static PLACE_PATH_MAX])
{
    snprintf(path, PLACE_PATH_MAX, "%s/ui/sent.json", p->home);
}

json_t *place_sent(const struct place *p)
{
    char path[PLACE_PATH_MAX];
    sent_path(p, path);
    json_t *all = json_load_file(path, 0, NULL);
    if (json_is_array(all)) return all;
    json_decref(all);
    return json_array();
}

static bool save(const char *path, json_t *tree)
{
    char beside[PLACE_PATH_MAX + 8];
    snprintf(beside, sizeof beside, "%s.new", path);
    return json_dump_file(tree, beside, JSON_INDENT(1)) == 0 && rename(beside, path) == 0;
}

bool place_sent_add(const struct place *p, json_t *entry)
{
    char path[PLACE_PATH_MAX];
    json_t *all = place_sent(p);
    sent_path(p, path);
    bool fine = json_array_append_new(all, entry) == 0 && save(path, all);
    json_decref(all);
    return fine;
}

static void settings_path(const struct place *p, char path[static PLACE_PATH_MAX])
{
    snprintf(path, PLACE_PATH_MAX, "%s/ui/settings.json", p->home);
}

bool place_settings_load(struct place *p)
{
    char path[PLACE_PATH_MAX];
    settings_path(p, path);
    json_t *s = json_load_file(path, 0, NULL);
    const char *node = json_string_value(json_object_get(s, "node")),
               *as = json_string_value(json_object_get(s, "as"));
    if (!p->node[0] && node) snprintf(p->node, sizeof p->node, "%s", node);
    if (!p->as[0] && as) snprintf(p->as, sizeof p->as, "%s", as);
    json_decref(s);
    return s != NULL;
}

bool place_settings_save(const struct place *p)
{
    char path[PLACE_PATH_MAX];
    settings_path(p, path);
    json_t *s = json_object();
    json_object_set_new(s, "node", json_string(p->node));
    json_object_set_new(s, "as", json_string(p->as));
    bool fine = save(path, s);
    json_decref(s);
    return fine;
}

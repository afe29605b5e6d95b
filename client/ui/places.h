/* Whose eyes one looks with: a home folder, the node it uses, the identity it acts as. The
 * owner's own is "own"; the Try it room adds three parties that were made for it. Files that
 * the page was given, and results, lie in the home, 0600: ui/files/ID and ID.name    what the
 * owner chose to look at, until it is forgotten ui/out/…                   what commands wrote
 *   ui/sent.json               what was contributed from here: so that twice is noticed
 *   results/ADDRESS.RUN.json   answers with their receipts */
#ifndef CLIENT_UI_PLACES_H
#define CLIENT_UI_PLACES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    PLACES_MAX = 4,
    PLACE_PATH_MAX = 4096,
    PLACE_HOME_MAX = 3800,
    PLACE_NAME_MAX = 256,
    PLACE_ID_LEN = 16
};

struct place {
    char id[24], home[PLACE_HOME_MAX], node[512], as[72];
    bool room;
};

/* Folders of the home, made. */
bool place_prepare(const struct place *p);
bool place_id_like(const char *text);     /* 16 hex digits: an upload */
bool place_result_like(const char *text); /* apex1….RUN.json */
void place_upload_path(const struct place *p, const char *id, char path[static PLACE_PATH_MAX],
                       char shown[static PLACE_NAME_MAX]);
void place_result_path(const struct place *p, const char *name,
                       char path[static PLACE_PATH_MAX], char shown[static PLACE_NAME_MAX]);
bool place_output_path(const struct place *p, const char *suffix,
                       char path[static PLACE_PATH_MAX]);

/* An upload: its file, open and empty, and its id. The name is only for showing. */
int place_upload_new(const struct place *p, const char *name, char id[static PLACE_ID_LEN + 1]);
void place_upload_forget(const struct place *p, const char *id);
void place_files_forget(const struct place *p); /* all uploads and outputs */

/* Moves a result that was written into the results; its name. */
bool place_result_keep(const struct place *p, const char *written, const char *address,
                       char name[static 96]);
json_t *place_results(const struct place *p);
json_t *place_sent(const struct place *p);
bool place_sent_add(const struct place *p, json_t *entry); /* takes the reference */
bool place_settings_load(struct place *p);
bool place_settings_save(const struct place *p);

#endif

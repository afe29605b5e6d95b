/* The Try it room: `apex demo --room` makes a simulated node and three parties in a scratch
 * folder, and keeps them as long as it lives. Its places are looked at like the owner's own. */
#ifndef CLIENT_UI_ROOM_H
#define CLIENT_UI_ROOM_H

#include "client/ui/places.h"

struct room;
struct room *room_new(void);
void room_free(struct room *room); /* ends it; the scratch folder goes with it */
void room_open(struct room *room); /* starts it, unless it runs */
void room_close(struct room *room);
/* {"state": "closed|opening|open|failed", "stage": …, "parties": […], …} */
json_t *room_show(struct room *room);
/* A party's place by its name; false: there is none. */
bool room_place(struct room *room, const char *name, struct place *place);

#endif

/* The page, built into this program: client/web through Vite, gzip. Nothing of it is read from
 * the disk or the network at run time. */
#ifndef CLIENT_UI_ASSETS_H
#define CLIENT_UI_ASSETS_H

#include <stddef.h>

struct asset {
    const char *path, *type;
    const unsigned char *gzip;
    size_t len;
};
extern const struct asset ui_assets[];
extern const size_t ui_n_assets;

#endif

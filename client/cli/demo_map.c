#include "client/cli/demo.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t splitmix64(uint64_t x)
{
    uint64_t z = x + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* The documented hash of a row: data/README.md. */
static uint64_t row_hash(uint64_t seed, uint64_t row)
{
    return splitmix64((seed << 32) + row);
}

struct parts {
    FILE *own[TELCOS], *held[TELCOS];
};

static bool parts_open(const struct demo *d, const char *prefix, bool holdout,
                       const char *header, struct parts *p)
{
    bool fine = true;
    for (int t = 0; t < TELCOS; t++) {
        char path[DEMO_PATH_MAX + 96];
        snprintf(path, sizeof path, "%s/%s-%s.csv", d->scratch, prefix, telco_names[t]);
        p->own[t] = fopen(path, "w");
        snprintf(path, sizeof path, "%s/%s-%s-holdout.csv", d->scratch, prefix, telco_names[t]);
        p->held[t] = holdout ? fopen(path, "w") : NULL;
        fine = fine && p->own[t] && fputs(header, p->own[t]) >= 0 &&
               (!holdout || (p->held[t] && fputs(header, p->held[t]) >= 0));
    }
    return fine;
}

static bool parts_close(struct parts *p)
{
    bool fine = true;
    for (int t = 0; t < TELCOS; t++) {
        if (p->own[t]) fine = fclose(p->own[t]) == 0 && fine;
        if (p->held[t]) fine = fclose(p->held[t]) == 0 && fine;
    }
    return fine;
}

bool demo_split(const struct demo *d, const char *csv, const char *prefix, bool holdout,
                uint64_t rows, uint64_t counts[TELCOS])
{
    char line[4096];
    struct parts p = {{NULL}, {NULL}};
    FILE *f = fopen(csv, "r");
    bool fine = f && fgets(line, sizeof line, f) && parts_open(d, prefix, holdout, line, &p);
    memset(counts, 0, TELCOS * sizeof *counts);
    for (uint64_t row = 0; fine && (rows == 0 || row < rows) && fgets(line, sizeof line, f);
         row++) {
        int t = (int)(row_hash(2, row) % TELCOS);
        bool held = holdout && row_hash(1, row) % 10 >= 7;
        fine = fputs(line, held ? p.held[t] : p.own[t]) >= 0;
        counts[t]++;
    }
    fine = parts_close(&p) && fine;
    if (f) fclose(f);
    return fine;
}

enum { WIDTH = 900, MARGIN = 30 };
#define KM_PER_DEGREE 111.195

struct view {
    double west, north, scale_x, scale_y;
    int height;
};

static void project(const struct view *v, double lat, double lon, double *x, double *y)
{
    *x = MARGIN + (lon - v->west) * v->scale_x;
    *y = MARGIN + (v->north - lat) * v->scale_y;
}

static struct view view_of(const json_t *sites)
{
    double south = 90, north = -90, west = 180, east = -180;
    for (size_t i = 0; i < json_array_size(sites); i++) {
        const json_t *s = json_array_get(sites, i);
        if (!json_object_get(s, "latitude")) continue;
        double lat = json_real_value(json_object_get(s, "latitude")),
               lon = json_real_value(json_object_get(s, "longitude"));
        double reach = json_real_value(json_object_get(s, "p95_km")) / KM_PER_DEGREE,
               wide = reach / cos(lat * 3.14159265358979 / 180);
        south = fmin(south, lat - reach);
        north = fmax(north, lat + reach);
        west = fmin(west, lon - wide);
        east = fmax(east, lon + wide);
    }
    double pad_y = 0.02 * (north - south) + 0.01, pad_x = 0.02 * (east - west) + 0.01;
    struct view v = {.west = west - pad_x, .north = north + pad_y};
    v.scale_x = (WIDTH - 2 * MARGIN) / (east - west + 2 * pad_x);
    v.scale_y = v.scale_x / cos((north + south) / 2 * 3.14159265358979 / 180);
    v.height = (int)((north - south + 2 * pad_y) * v.scale_y) + 2 * MARGIN + 40;
    return v;
}

static void own_points(const struct view *v, const char *csv, FILE *out)
{
    char line[4096];
    FILE *f = fopen(csv, "r");
    fprintf(out, "<path d=\"");
    for (unsigned n = 0; f && fgets(line, sizeof line, f); n++) {
        double lat, lon, x, y;
        if (n == 0 || sscanf(line, "%lf,%lf", &lat, &lon) != 2) continue;
        project(v, lat, lon, &x, &y);
        if (x >= 0 && x <= WIDTH && y >= 0 && y <= v->height - 40)
            fprintf(out, "M%.1f %.1fh0", x, y);
    }
    fprintf(out, "\" stroke=\"#4f7396\" stroke-width=\"1.5\" stroke-linecap=\"round\" "
                 "stroke-opacity=\"0.6\"/>\n");
    if (f) fclose(f);
}

static void sites_draw(const struct view *v, const json_t *sites, FILE *out)
{
    for (size_t i = 0; i < json_array_size(sites); i++) {
        const json_t *s = json_array_get(sites, i);
        double x, y,
            r = json_real_value(json_object_get(s, "p95_km")) / KM_PER_DEGREE * v->scale_y;
        if (!json_object_get(s, "latitude")) continue;
        project(v, json_real_value(json_object_get(s, "latitude")),
                json_real_value(json_object_get(s, "longitude")), &x, &y);
        fprintf(
            out,
            "<g><title>site %zu: %lld customers, 95 %% within %.1f km</title><circle "
            "cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"#d9480f\" fill-opacity=\"0.10\" "
            "stroke=\"#d9480f\" stroke-opacity=\"0.5\"/>"
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#d9480f\" stroke=\"#fff\"/></g>\n",
            i, (long long)json_integer_value(json_object_get(s, "rows")),
            json_real_value(json_object_get(s, "p95_km")), x, y, r, x, y);
    }
}

bool demo_map(const char *answer, const char *own_csv, const char *path)
{
    json_t *a = json_loads(answer, 0, NULL), *sites = json_object_get(a, "sites");
    struct view v = view_of(sites);
    FILE *out = fopen(path, "w");
    if (out) {
        fprintf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%%\" "
                "height=\"100%%\" fill=\"#fbfaf7\"/>\n",
                WIDTH, v.height);
        own_points(&v, own_csv, out);
        sites_draw(&v, sites, out);
        fprintf(
            out,
            "<text x=\"%d\" y=\"%d\" fill=\"#333\">%zu shared sites (orange; circle: 95 %% of "
            "a site's customers) over %s's own customers (grey). Simulated enclave.</text>\n"
            "<text x=\"%d\" y=\"%d\" fill=\"#777\">Addresses: LINZ Data Service, CC BY "
            "4.0</text>\n</svg>\n",
            MARGIN, v.height - 28, json_array_size(sites), telco_names[0], MARGIN,
            v.height - 10);
    }
    bool fine = out && !ferror(out);
    if (out) fine = fclose(out) == 0 && fine;
    json_decref(a);
    return fine;
}

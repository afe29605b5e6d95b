/* private_sites: k-means on a private map of where rows lie (common/num/private_tree.h). */
#include "common/base/try.h"
#include "common/num/private_kmeans.h"
#include "contracts/cluster/answer.h"
#include "contracts/lib/fault.h"
#include "contracts/lib/private.h"

#include <stdlib.h>

static const char DATASET[] = "customers";

struct private_sites {
    struct private_answer answer;
    struct frame frame;
    struct encoding_feature feature[2]; /* latitude, longitude */
    struct encoding like;
    struct private_bounds bounds[2];
    struct private_kmeans found;
    size_t k;
};

static void feature_of(struct private_sites *s, enum apex_column_type type, size_t i)
{
    const struct apex_column *columns;
    size_t n = apex_schema(s->answer.run, DATASET, &columns), c = 0;
    while (c < n && columns[c].type != type)
        c++;
    if (c == n)
        apex_refuse(s->answer.run, APEX_REFUSE_PARAMETER,
                    "the dataset has no latitude and longitude column");
    memcpy(s->feature[i].column, columns[c].name, sizeof s->feature[i].column);
    s->bounds[i] = private_column_bounds(s->answer.run, DATASET, columns[c].name);
}

static apex_status rows_open(struct private_sites *s)
{
    feature_of(s, APEX_LATITUDE, 0);
    feature_of(s, APEX_LONGITUDE, 1);
    s->like =
        (struct encoding){.kind = FRAME_NO_TARGET, .n_features = 2, .features = s->feature};
    const struct frame_choice choice = {.dataset = DATASET, .like = &s->like};
    return frame_open(s->answer.run, &choice, &s->frame);
}

static apex_status fit(struct private_sites *s)
{
    struct apex_run *run = s->answer.run;
    struct num_place place = {NUM_FINE, 0};
    const struct private_kmeans_options o = {.tree = {.d = 2, .bounds = s->bounds},
                                             .k = s->k,
                                             .restarts =
                                                 (unsigned)apex_param_number(run, "restarts"),
                                             .seed = apex_seed(run)};
    s->found.centroids = calloc(2 * s->k, sizeof *s->found.centroids);
    s->found.weights = calloc(s->k, sizeof *s->found.weights);
    if (!s->found.centroids || !s->found.weights) return APEX_E_MEMORY;
    apex_status status = private_kmeans_fit(&s->frame.source, &o, s->answer.budget.total,
                                            &s->answer.how, &s->found, &place);
    if (place.fault == NUM_FEWER_THAN_K)
        apex_refuse(
            run, APEX_REFUSE_K,
            "so few rows stand out from the noise; ask for a smaller k, or a larger epsilon");
    fault_refuse(run, status, &place);
    return APEX_OK;
}

static void sites_out(const struct private_sites *s)
{
    struct apex_run *run = s->answer.run;
    double all = 0;
    for (size_t c = 0; c < s->k; c++)
        all += s->found.weights[c];
    apex_json_number(run, "rows", all);
    apex_json_integer(run, "k", (int64_t)s->k);
    apex_json_integer(run, "map_cells", (int64_t)s->found.n_points);
    apex_json_integer(run, "map_depth", s->found.depth);
    apex_json_array(run, "sites");
    for (size_t c = 0; c < s->k; c++) {
        apex_json_object(run, NULL);
        apex_json_integer(run, "site", (int64_t)c);
        apex_json_number(run, "latitude", s->found.centroids[2 * c]);
        apex_json_number(run, "longitude", s->found.centroids[2 * c + 1]);
        apex_json_number(run, "rows", s->found.weights[c]);
        apex_json_end(run);
    }
    apex_json_end(run);
}

apex_status private_sites(struct apex_run *run)
{
    struct private_sites s = {.k = (size_t)apex_param_number(run, "k")};
    private_open(run, DATASET, &s.answer);
    TRY(rows_open(&s));
    TRY(fit(&s));
    apex_json_object(run, NULL);
    apex_json_text(run, "function", apex_function(run), strlen(apex_function(run)));
    sites_out(&s);
    private_out(&s.answer);
    apex_json_end(run);
    frame_close(&s.frame);
    free(s.found.centroids);
    free(s.found.weights);
    return APEX_OK;
}

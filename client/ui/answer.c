#include "client/ui/request.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Scripts and styles of this program only, requests to it only, and no frame around it. */
static const char *const headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
     "require-trusted-types-for 'script'; trusted-types 'none'"},
    {"X-Frame-Options", "DENY"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
};

const char *request_header(const struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *request_query(const struct request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

static answered queue(struct request *r, unsigned status, struct MHD_Response *response,
                      const char *type, bool keep)
{
    if (!response) return MHD_NO;
    bool fine = MHD_add_response_header(response, "Content-Type", type) == MHD_YES &&
                MHD_add_response_header(response, "Cache-Control",
                                        keep ? "private, max-age=31536000, immutable"
                                             : "no-store") == MHD_YES;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        fine =
            MHD_add_response_header(response, headers[i][0], headers[i][1]) == MHD_YES && fine;
    answered done = fine ? MHD_queue_response(r->connection, status, response) : MHD_NO;
    MHD_destroy_response(response);
    return done;
}

answered answer_bytes(struct request *r, unsigned status, const char *type, const void *bytes,
                      size_t len, bool gzip, bool keep)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);
    if (response && gzip) (void)MHD_add_response_header(response, "Content-Encoding", "gzip");
    return queue(r, status, response, type, keep);
}

answered answer_text(struct request *r, unsigned status, const char *type, const char *text)
{
    return answer_bytes(r, status, type, text, strlen(text), false, false);
}

answered answer_json(struct request *r, unsigned status, json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
    answered done = text ? answer_text(r, status, "application/json", text) : MHD_NO;
    free(text);
    json_decref(tree);
    return done;
}

answered answer_error(struct request *r, unsigned status, const char *what, const char *next)
{
    return answer_json(r, status,
                       json_pack("{s:{s:s, s:s, s:s, s:s, s:s}}", "error", "status",
                                 status == 403 ? "E_REFUSED" : "E_USAGE", "what", what,
                                 "not_done", "nothing was done", "next", next, "who", "you"));
}

answered answer_file(struct request *r, const char *type, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0) close(fd);
        return answer_error(r, 404, "that file is not here any more", "make it again");
    }
    return queue(r, 200, MHD_create_response_from_fd64((uint64_t)st.st_size, fd), type, false);
}

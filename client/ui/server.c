#include "client/ui/assets.h"
#include "client/ui/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 128, CONNECTION_MEMORY = 64 * 1024, IDLE_S = 120, STEP_US = 20000 };

static const char closed_page[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>APEX</title>"
    "<h1>This page is closed</h1><p>%s.</p><p>Nothing was done. Open the address that "
    "<code>apex ui</code> printed; each is good for one browser, once. Press Enter in its "
    "terminal for a new one.</p></html>";
/* Not a redirect: the cookie is sent along only by a page that is already of this site. */
static const char entered_page[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>APEX</title>"
    "<link rel=\"icon\" href=\"data:,\"><meta http-equiv=\"refresh\" content=\"0; url=/\"><p><a href=\"/\">Go on</a></p></html>";

static bool path_split(struct request *r, const char *path)
{
    for (const char *at = path; *at;) {
        at += strspn(at, "/");
        size_t n = strcspn(at, "/");
        if (n == 0) break;
        if (r->n_parts == PARTS_MAX || n >= PART_MAX) return false;
        memcpy(r->part[r->n_parts], at, n);
        if (strcmp(r->part[r->n_parts], "..") == 0) return false;
        r->n_parts++;
        at += n;
    }
    return true;
}

static answered refuse(struct request *r, unsigned status, const char *why)
{
    char text[1024];
    if (r->n_parts > 0 && strcmp(r->part[0], "api") == 0)
        return answer_error(r, status, why, "open the address that `apex ui` printed");
    snprintf(text, sizeof text, closed_page, why);
    return answer_text(r, status, "text/html; charset=utf-8", text);
}

static answered enter(struct request *r)
{
    char cookie[256];
    struct gate *g = &r->ui->gate;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof entered_page - 1, (void *)(uintptr_t)entered_page, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict", g->cookie_name,
             g->cookie);
    (void)MHD_add_response_header(response, "Set-Cookie", cookie);
    (void)MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    (void)MHD_add_response_header(response, "X-Frame-Options", "DENY");
    answered done = MHD_queue_response(r->connection, 200, response);
    MHD_destroy_response(response);
    return done;
}

static struct gate_request gate_view(const struct request *r, const char *path)
{
    return (struct gate_request){.method = r->method,
                                 .path = path,
                                 .host = request_header(r, "Host"),
                                 .origin = request_header(r, "Origin"),
                                 .site = request_header(r, "Sec-Fetch-Site"),
                                 .cookie = request_header(r, "Cookie")};
}

/* The head is here: who asks, and where does the body go? */
static answered begin(struct request *r, const char *path)
{
    unsigned status = 403;
    struct gate_request view = gate_view(r, path);
    const char *token = request_query(r, "token"), *why;
    if (!path_split(r, path)) return answer_error(r, 404, "the address does not read", "");
    if (token && r->n_parts == 0 && strcmp(r->method, "GET") == 0 &&
        !gate_refuses_place(&r->ui->gate, &view, &status)) {
        pthread_mutex_lock(&r->ui->lock);
        bool good = gate_token_take(&r->ui->gate, token);
        pthread_mutex_unlock(&r->ui->lock);
        if (good) return enter(r);
    }
    why = gate_refuses(&r->ui->gate, &view, &status);
    if (why) return refuse(r, status, why);
    why = route_begin(r);
    return why ? answer_error(r, 404, why, "load the page again") : MHD_YES;
}

static void body_take(struct request *r, const char *bytes, size_t n)
{
    if (r->upload >= 0) {
        r->upload_len += n;
        while (n > 0 && !r->upload_failed) {
            ssize_t done = write(r->upload, bytes, n);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) r->upload_failed = true;
            bytes += done > 0 ? done : 0;
            n -= done > 0 ? (size_t)done : 0;
        }
        return;
    }
    char *more = r->body_len + n <= BODY_MAX ? realloc(r->body, r->body_len + n) : NULL;
    if (!more) {
        r->too_long = true;
        return;
    }
    r->body = more;
    memcpy(r->body + r->body_len, bytes, n);
    r->body_len += n;
}

static answered on_request(void *context, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *version, const char *bytes,
                           size_t *n_bytes, void **state)
{
    struct request *r = *state;
    (void)version;
    if (!r) {
        r = calloc(1, sizeof *r);
        if (!r) return MHD_NO;
        r->ui = context;
        r->connection = connection;
        r->method = method;
        r->upload = -1;
        *state = r;
        return begin(r, url);
    }
    if (*n_bytes > 0) {
        body_take(r, bytes, *n_bytes);
        *n_bytes = 0;
        return MHD_YES;
    }
    if (r->upload >= 0 && close(r->upload) != 0) r->upload_failed = true;
    if (r->upload >= 0) r->upload = -1;
    return route(r);
}

static void on_end(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    struct request *r = *state;
    (void)context;
    (void)connection;
    (void)code;
    if (!r) return;
    if (r->upload >= 0) { /* it broke off */
        close(r->upload);
        place_upload_forget(&r->place, r->upload_id);
    }
    free(r->body);
    free(r);
    *state = NULL;
}

/* A loopback address of its own; where 127/8 is not whole, 127.0.0.1. */
static int listen_on(unsigned port, char address[static 32], unsigned *got)
{
    uint8_t at[3] = {0, 0, 1};
    for (int tries = 0; tries < 8; tries++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        socklen_t len = sizeof a;
        if (tries < 7 && getrandom(at, sizeof at, 0) != sizeof at) return -1;
        if (tries == 7) memcpy(at, "\0\0\1", 3);
        if (at[2] == 0 || at[2] == 255) at[2] = 1;
        snprintf(address, 32, "127.%u.%u.%u", at[0], at[1], at[2]);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && inet_pton(AF_INET, address, &a.sin_addr) == 1 &&
            bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 64) == 0 &&
            getsockname(fd, (struct sockaddr *)&a, &len) == 0) {
            *got = ntohs(a.sin_port);
            return fd;
        }
        if (fd >= 0) close(fd);
    }
    return -1;
}

static volatile sig_atomic_t stop_asked;

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

static void address_print(struct ui *ui)
{
    printf("%s/?token=%s\n", ui->gate.origin, ui->gate.token);
    fflush(stdout);
}

/* Through a file of the owner's own, since others of this machine can read command lines. */
static void browser_open(const struct ui *ui)
{
    char path[PLACE_PATH_MAX], command[PLACE_PATH_MAX + 16];
    snprintf(path, sizeof path, "%.3800s/ui/open.html", ui->own.home);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) return;
    fprintf(f,
            "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" "
            "content=\"0; url=%s/?token=%s\">\n",
            ui->gate.origin, ui->gate.token);
    if (fclose(f) != 0 || fork() != 0) return;
    snprintf(command, sizeof command, "file://%s", path);
    execlp("xdg-open", "xdg-open", command, (char *)NULL);
    _exit(127);
}

/* Enter in the terminal: another address, for another browser. */
static void terminal_hear(struct ui *ui)
{
    char line[64];
    if (!isatty(STDIN_FILENO)) return;
    if (read(STDIN_FILENO, line, sizeof line) <= 0) return;
    pthread_mutex_lock(&ui->lock);
    bool fine = gate_token_new(&ui->gate);
    pthread_mutex_unlock(&ui->lock);
    if (fine) address_print(ui);
}

static void wait_for_end(struct ui *ui)
{
    struct sigaction stop = {.sa_handler = on_stop};
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    bool terminal = isatty(STDIN_FILENO) && flags >= 0;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (terminal) fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK);
    while (!stop_asked && !atomic_load(&ui->ends)) {
        usleep(STEP_US);
        if (terminal) terminal_hear(ui);
    }
    if (terminal) fcntl(STDIN_FILENO, F_SETFL, flags);
    usleep(STEP_US); /* the answer to "quit" is on its way */
}

static bool ui_open(struct ui *ui, const struct ui_options *o)
{
    char path[PLACE_PATH_MAX];
    *ui = (struct ui){.options = o};
    pthread_mutex_init(&ui->lock, NULL);
    snprintf(ui->own.id, sizeof ui->own.id, "own");
    snprintf(ui->own.home, sizeof ui->own.home, "%s", o->home);
    snprintf(ui->own.node, sizeof ui->own.node, "%s", o->node ? o->node : "");
    snprintf(ui->own.as, sizeof ui->own.as, "%s", o->as ? o->as : "");
    snprintf(ui->theme, sizeof ui->theme, "system");
    snprintf(ui->units, sizeof ui->units, "km");
    if (!place_prepare(&ui->own)) return false;
    (void)place_settings_load(&ui->own);
    snprintf(path, sizeof path, "%.3800s/ui/preferences.json", ui->own.home);
    json_t *p = json_load_file(path, 0, NULL);
    const char *theme = json_string_value(json_object_get(p, "theme")),
               *units = json_string_value(json_object_get(p, "units"));
    if (theme && (strcmp(theme, "dark") == 0 || strcmp(theme, "light") == 0))
        snprintf(ui->theme, sizeof ui->theme, "%.7s", theme);
    if (units && strcmp(units, "miles") == 0) snprintf(ui->units, sizeof ui->units, "miles");
    json_decref(p);
    ui->jobs = jobs_new();
    ui->watch = watch_new();
    ui->room = room_new();
    return ui->jobs && ui->watch && ui->room;
}

static void ui_close(struct ui *ui)
{
    room_free(ui->room);
    watch_free(ui->watch);
    jobs_free(ui->jobs);
}

int ui_serve(const struct ui_options *options)
{
    static struct ui ui;
    char address[32];
    unsigned port = 0;
    umask(077);
    if (ui_n_assets == 0) return 2;
    if (!ui_open(&ui, options)) return 5;
    int fd = listen_on(options->port, address, &port);
    if (fd < 0 || !gate_open(&ui.gate, address, port)) return 4;
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
        on_request, &ui, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_end,
        NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
    if (!d) return 4;
    address_print(&ui);
    if (options->open) browser_open(&ui);
    wait_for_end(&ui);
    MHD_stop_daemon(d);
    ui_close(&ui);
    return 0;
}

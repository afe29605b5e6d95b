#include "enclave/core/waiting.h"

#include "common/base/try.h"
#include "enclave/core/hand_over.h"
#include "enclave/core/recovery.h"
#include "enclave/core/session.h"

static enum refusal take(struct core *core, const struct message *m, struct root_secret *root,
                         struct floor *floor, bool *done, struct outcome *out)
{
    enum refusal no;
    switch (m->type) {
    case MESSAGE_HELLO: return hand_over_hello(core, out);
    case MESSAGE_JOIN: return hand_over_join(core, m->body, out);
    case MESSAGE_RECEIVE:
        no = hand_over_receive(core, m->body, root, floor);
        *done = no == REFUSAL_NONE;
        return no;
    case MESSAGE_RECOVER:
        no = recovery_take(core, m->body, root, done, out);
        if (*done) *floor = (struct floor){.size = 1}; /* there is a log: which, it must show */
        return no;
    default: return REFUSAL_NO_ROOT;
    }
}

/* The host asks for evidence first of all, to learn when it is served: that can wait. */
static bool is_greeting(const struct core *core, const struct buffer *message)
{
    struct message m;
    return core->greeting.len == 0 && message->len <= MESSAGE_MAX &&
           message_parse(buffer_span(message), &m) == APEX_OK && m.type == MESSAGE_ATTEST;
}

static apex_status answer_one(struct core *core, struct root_secret *root, struct floor *floor,
                              bool *done)
{
    uint32_t id;
    struct message m;
    struct outcome out = {0};
    BUFFER_CLEARED message = {0};
    BUFFER_CLEARED reply = {0};
    TRY(link_next(core->link, &id, &message));
    if (is_greeting(core, &message)) {
        core->greeting_id = id;
        core->greeting = message;
        message = (struct buffer){0};
        return APEX_OK;
    }
    if (message.len > MESSAGE_MAX || message_parse(buffer_span(&message), &m) != APEX_OK)
        out.code = REFUSAL_BAD_MESSAGE;
    else
        out.code = take(core, &m, root, floor, done, &out);
    if (!*done) keys_forget(core->keys);
    apex_status s = session_reply(core, buffer_span(&message), &out, &reply);
    buffer_clear(&out.body);
    if (s == APEX_OK) s = link_reply(core->link, id, buffer_span(&reply));
    return s;
}

apex_status wait_for_root(struct core *core, struct root_secret *root, struct floor *floor)
{
    bool done = false;
    while (!done)
        TRY(answer_one(core, root, floor, &done));
    return APEX_OK;
}

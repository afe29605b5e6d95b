#include "common/wire/json.h"

#include "common/base/try.h"

#include <stdlib.h>

/* What may come next. */
enum {
    WANT_VALUE,
    WANT_VALUE_OR_END,
    WANT_KEY,
    WANT_KEY_OR_END,
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_NOTHING
};
enum { TOKEN_NONE, TOKEN_STRING, TOKEN_KEY, TOKEN_NUMBER, TOKEN_TRUE, TOKEN_FALSE, TOKEN_NULL };
/* Inside a string. */
enum {
    STRING_PLAIN,
    STRING_ESCAPE,
    STRING_U1,
    STRING_U2,
    STRING_U3,
    STRING_U4,
    STRING_LOW_SLASH,
    STRING_LOW_U
};
/* Inside a number. */
enum {
    NUMBER_MINUS,
    NUMBER_ZERO,
    NUMBER_INT,
    NUMBER_POINT,
    NUMBER_FRACTION,
    NUMBER_E,
    NUMBER_SIGN,
    NUMBER_EXPONENT
};

void json_init(struct json *j, bool many)
{
    memset(j, 0, offsetof(struct json, text));
    j->many = many;
    j->line = j->column = j->token_line = j->token_column = 1;
}

void json_feed(struct json *j, struct span piece, bool last)
{
    j->at = piece.data;
    j->end = piece.len ? piece.data + piece.len : piece.data;
    j->last = last;
}

double json_number(const struct json *j)
{
    return strtod((const char *)j->text, NULL);
}

static void advance(struct json *j)
{
    if (*j->at == '\n') {
        j->line++;
        j->column = 0;
    }
    j->column++;
    j->at++;
}

static apex_status put(struct json *j, uint8_t byte)
{
    if (j->len >= JSON_TOKEN_MAX) return APEX_E_LIMIT;
    j->text[j->len++] = byte;
    return APEX_OK;
}

static apex_status put_code(struct json *j, uint32_t c)
{
    if (c < 0x80) return put(j, (uint8_t)c);
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    TRY(put(j, (uint8_t)(lead[more] | c >> 6 * more)));
    while (more-- > 0)
        TRY(put(j, (uint8_t)(0x80 | (c >> 6 * more & 0x3f))));
    return APEX_OK;
}

static void after_value(struct json *j)
{
    j->token = TOKEN_NONE;
    j->state = j->depth > 0 ? WANT_COMMA_OR_END : j->many ? WANT_VALUE : WANT_NOTHING;
    j->text[j->len] = 0;
}

/* A byte of a multi-byte character; overlong forms and surrogates are refused when it is whole.
 */
static apex_status tail_byte(struct json *j, uint8_t b)
{
    if ((b & 0xc0) != 0x80) return APEX_E_FORMAT;
    j->code = j->code << 6 | (b & 0x3fu);
    if (--j->tail == 0 &&
        (j->code < j->least || j->code > 0x10ffff || (j->code >= 0xd800 && j->code <= 0xdfff)))
        return APEX_E_FORMAT;
    return put(j, b);
}

static apex_status lead_byte(struct json *j, uint8_t b)
{
    if (b < 0xc2 || b > 0xf4) return APEX_E_FORMAT;
    j->tail = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : 1;
    j->least = j->tail == 3 ? 0x10000 : j->tail == 2 ? 0x800 : 0x80;
    j->code = b & (0x3fu >> j->tail);
    return put(j, b);
}

static int hex_digit(uint8_t b)
{
    if (b >= '0' && b <= '9') return b - '0';
    if (b >= 'a' && b <= 'f') return b - 'a' + 10;
    return b >= 'A' && b <= 'F' ? b - 'A' + 10 : -1;
}

static apex_status escape_byte(struct json *j, uint8_t b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = b ? memchr(from, b, sizeof from - 1) : NULL;
    if (b == 'u') {
        j->sub = STRING_U1;
        j->code = 0;
        return APEX_OK;
    }
    if (!found) return APEX_E_FORMAT;
    j->sub = STRING_PLAIN;
    return put(j, (uint8_t)to[found - from]);
}

static apex_status unicode_end(struct json *j)
{
    bool low = j->code >= 0xdc00 && j->code <= 0xdfff;
    if (low != (j->high != 0)) return APEX_E_FORMAT; /* a lone half of a pair */
    if (j->code >= 0xd800 && j->code <= 0xdbff) {
        j->high = j->code;
        j->sub = STRING_LOW_SLASH;
        return APEX_OK;
    }
    uint32_t c = low ? 0x10000 + ((j->high - 0xd800) << 10) + (j->code - 0xdc00) : j->code;
    j->high = 0;
    j->sub = STRING_PLAIN;
    return put_code(j, c);
}

static apex_status unicode_byte(struct json *j, uint8_t b)
{
    int digit = hex_digit(b);
    if (digit < 0) return APEX_E_FORMAT;
    j->code = j->code << 4 | (uint32_t)digit;
    if (j->sub != STRING_U4) {
        j->sub++;
        return APEX_OK;
    }
    return unicode_end(j);
}

static apex_status string_special(struct json *j, uint8_t b)
{
    switch (j->sub) {
    case STRING_ESCAPE: return escape_byte(j, b);
    case STRING_LOW_SLASH: j->sub = STRING_LOW_U; return b == '\\' ? APEX_OK : APEX_E_FORMAT;
    case STRING_LOW_U:
        j->sub = STRING_U1;
        j->code = 0;
        return b == 'u' ? APEX_OK : APEX_E_FORMAT;
    default: return unicode_byte(j, b);
    }
}

/* Reads on in a string; *done at its closing quote. */
static apex_status string_run(struct json *j, bool *done)
{
    for (; j->at < j->end; advance(j)) {
        uint8_t b = *j->at;
        if (j->tail)
            TRY(tail_byte(j, b));
        else if (j->sub != STRING_PLAIN)
            TRY(string_special(j, b));
        else if (b == '"') {
            advance(j);
            *done = true;
            return APEX_OK;
        } else if (b == '\\')
            j->sub = STRING_ESCAPE;
        else if (b < 0x20)
            return APEX_E_FORMAT;
        else if (b < 0x80)
            TRY(put(j, b));
        else
            TRY(lead_byte(j, b));
    }
    return APEX_OK;
}

/* The next state of a number, or -1 when the byte is not part of it. */
static int number_step(unsigned sub, uint8_t b)
{
    bool digit = b >= '0' && b <= '9', exponent = b == 'e' || b == 'E';
    switch (sub) {
    case NUMBER_MINUS: return b == '0' ? NUMBER_ZERO : digit ? NUMBER_INT : -1;
    case NUMBER_ZERO: return b == '.' ? NUMBER_POINT : exponent ? NUMBER_E : -1;
    case NUMBER_INT:
        return digit ? NUMBER_INT : b == '.' ? NUMBER_POINT : exponent ? NUMBER_E : -1;
    case NUMBER_POINT: return digit ? NUMBER_FRACTION : -1;
    case NUMBER_FRACTION: return digit ? NUMBER_FRACTION : exponent ? NUMBER_E : -1;
    case NUMBER_E: return b == '+' || b == '-' ? NUMBER_SIGN : digit ? NUMBER_EXPONENT : -1;
    default: return digit ? NUMBER_EXPONENT : -1;
    }
}

static bool number_whole(unsigned sub)
{
    return sub == NUMBER_ZERO || sub == NUMBER_INT || sub == NUMBER_FRACTION ||
           sub == NUMBER_EXPONENT;
}

static bool number_may_end_at(uint8_t b)
{
    return b == ',' || b == ']' || b == '}' || b == ' ' || b == '\n' || b == '\r' || b == '\t';
}

static apex_status number_run(struct json *j, bool *done)
{
    for (; j->at < j->end; advance(j)) {
        int next = number_step(j->sub, *j->at);
        if (next < 0) {
            *done = true;
            return number_whole(j->sub) && number_may_end_at(*j->at) ? APEX_OK : APEX_E_FORMAT;
        }
        j->sub = (unsigned)next;
        TRY(put(j, *j->at));
    }
    if (j->last) {
        *done = true;
        return number_whole(j->sub) ? APEX_OK : APEX_E_FORMAT;
    }
    return APEX_OK;
}

static apex_status word_run(struct json *j, const char *word, bool *done)
{
    for (; j->at < j->end && word[j->sub]; advance(j))
        if (*j->at != (uint8_t)word[j->sub++]) return APEX_E_FORMAT;
    *done = word[j->sub] == 0;
    return APEX_OK;
}

static apex_status token_run(struct json *j, enum json_event *event)
{
    static const enum json_event events[] = {JSON_MORE, JSON_STRING, JSON_KEY, JSON_NUMBER,
                                             JSON_TRUE, JSON_FALSE,  JSON_NULL};
    static const char *const words[] = {
        [TOKEN_TRUE] = "true", [TOKEN_FALSE] = "false", [TOKEN_NULL] = "null"};
    unsigned token = j->token;
    bool done = false;
    if (token == TOKEN_STRING || token == TOKEN_KEY)
        TRY(string_run(j, &done));
    else if (token == TOKEN_NUMBER)
        TRY(number_run(j, &done));
    else
        TRY(word_run(j, words[token], &done));
    if (!done) {
        *event = JSON_MORE;
        return j->last ? APEX_E_FORMAT : APEX_OK;
    }
    *event = events[token];
    after_value(j);
    if (token == TOKEN_KEY) j->state = WANT_COLON;
    return APEX_OK;
}

static apex_status open_container(struct json *j, bool object, enum json_event *event)
{
    if (j->depth == JSON_DEPTH_MAX) return APEX_E_LIMIT;
    uint64_t bit = UINT64_C(1) << j->depth++;
    j->is_object = object ? j->is_object | bit : j->is_object & ~bit;
    j->state = object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
    *event = object ? JSON_OBJECT : JSON_ARRAY;
    advance(j);
    return APEX_OK;
}

static apex_status close_container(struct json *j, bool object, enum json_event *event)
{
    if (j->depth == 0 || (j->is_object >> (j->depth - 1) & 1) != object) return APEX_E_FORMAT;
    j->depth--;
    *event = object ? JSON_OBJECT_END : JSON_ARRAY_END;
    j->len = 0;
    advance(j);
    after_value(j);
    return APEX_OK;
}

static apex_status value_begin(struct json *j, uint8_t b, enum json_event *event)
{
    if (b == '{' || b == '[') return open_container(j, b == '{', event);
    j->sub = 0;
    if (b == '"') {
        j->token = TOKEN_STRING;
        advance(j);
    } else if (b == '-' || (b >= '0' && b <= '9')) {
        j->token = TOKEN_NUMBER;
        j->sub = b == '-' ? NUMBER_MINUS : b == '0' ? NUMBER_ZERO : NUMBER_INT;
        TRY(put(j, b));
        advance(j);
    } else if (b == 't')
        j->token = TOKEN_TRUE;
    else if (b == 'f')
        j->token = TOKEN_FALSE;
    else if (b == 'n')
        j->token = TOKEN_NULL;
    else
        return APEX_E_FORMAT;
    return token_run(j, event);
}

static apex_status key_begin(struct json *j, uint8_t b, enum json_event *event)
{
    if (b != '"') return APEX_E_FORMAT;
    j->token = TOKEN_KEY;
    j->sub = 0;
    advance(j);
    return token_run(j, event);
}

/* Punctuation between tokens; true when it was one. */
static bool punctuation(struct json *j, uint8_t b)
{
    if (j->state == WANT_COLON && b == ':')
        j->state = WANT_VALUE;
    else if (j->state == WANT_COMMA_OR_END && b == ',')
        j->state = j->is_object >> (j->depth - 1) & 1 ? WANT_KEY : WANT_VALUE;
    else
        return false;
    advance(j);
    return true;
}

static apex_status begin(struct json *j, uint8_t b, enum json_event *event)
{
    j->token_line = j->line;
    j->token_column = j->column;
    j->len = 0;
    bool may_end = j->state == WANT_VALUE_OR_END || j->state == WANT_KEY_OR_END ||
                   j->state == WANT_COMMA_OR_END;
    if (may_end && (b == '}' || b == ']')) return close_container(j, b == '}', event);
    if (j->state == WANT_VALUE || j->state == WANT_VALUE_OR_END)
        return value_begin(j, b, event);
    if (j->state == WANT_KEY || j->state == WANT_KEY_OR_END) return key_begin(j, b, event);
    return APEX_E_FORMAT;
}

static bool at_end(const struct json *j)
{
    return j->state == WANT_NOTHING || (j->many && j->depth == 0 && j->state == WANT_VALUE);
}

apex_status json_next(struct json *j, enum json_event *event)
{
    if (j->token != TOKEN_NONE) return token_run(j, event);
    for (; j->at < j->end;) {
        uint8_t b = *j->at;
        if (b == ' ' || b == '\n' || b == '\r' || b == '\t')
            advance(j);
        else if (!punctuation(j, b))
            return begin(j, b, event);
    }
    if (!j->last) {
        *event = JSON_MORE;
        return APEX_OK;
    }
    *event = JSON_END;
    return at_end(j) ? APEX_OK : APEX_E_FORMAT;
}

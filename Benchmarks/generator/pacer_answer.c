// What later requests need from the body of an answer.
#define _GNU_SOURCE
#include "pacer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void inflate_answer(struct run *r) {
    size_t room = r->kept * 4 + 4096;
    char *plain = malloc(room);
    z_stream stream = {.next_in = (Bytef *)r->answer, .avail_in = (uInt)r->kept};
    if (!plain || inflateInit2(&stream, 31) != Z_OK)
        fail("no memory");
    int result = Z_OK;
    while (result == Z_OK) {
        if (stream.total_out == room && !(plain = realloc(plain, room *= 2)))
            fail("no memory");
        stream.next_out = (Bytef *)plain + stream.total_out;
        stream.avail_out = (uInt)(room - stream.total_out);
        result = inflate(&stream, Z_NO_FLUSH);
    }
    if (result != Z_STREAM_END)
        fail("an answer is no gzip (%d)", result);
    free(r->answer);
    r->answer = plain, r->kept = stream.total_out, r->kept_room = room;
    inflateEnd(&stream);
}

// Takes the values of keys of JSON; a key that is not there leaves its variable empty.
void capture_variables(struct run *r) {
    struct request *q = &r->lane->requests[r->current];
    for (int i = 0; i < q->capture_count; i++) {
        char *value = r->queue->variables[q->captures[i].variable];
        const char *key = q->captures[i].key, *end = r->answer + r->kept;
        const char *at = r->kept ? memmem(r->answer, r->kept, key, strlen(key)) : NULL;
        value[0] = 0;
        if (!at)
            continue;
        at += strlen(key);
        while (at < end && *at == ' ')
            at++;
        int quoted = at < end && *at == '"';
        at += quoted;
        size_t length = 0;
        while (at + length < end && !strchr(quoted ? "\"" : ",}] ", at[length]))
            length++;
        if (length >= VALUE)
            fail("a value of %s is too long", key);
        if (!quoted && length == 4 && strncmp(at, "null", 4) == 0)
            length = 0;
        memcpy(value, at, length);
        value[length] = 0;
    }
}

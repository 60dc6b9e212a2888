// What goes out besides the bytes that a handler made.
#include "text.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cb {

namespace {

struct Phrase {
    int status;
    const char *words;
};

const Phrase phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

const char *phrase(int status) {
    for (const Phrase &phrase : phrases)
        if (phrase.status == status)
            return phrase.words;
    return "";
}

char *put(char *at, const char *text, size_t length) {
    std::memcpy(at, text, length);
    return at + length;
}

template <size_t n> char *put(char *at, const char (&text)[n]) { return put(at, text, n - 1); }

char *put_number(char *at, uint64_t number) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

} // namespace

const std::string &DateCache::now() {
    std::time_t current = std::time(nullptr);
    if (current == second)
        return text;
    second = current;
    // Not strftime: its names depend on the locale.
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&current, &utc);
    char line[64];
    int length = std::snprintf(line, sizeof line, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[utc.tm_wday], utc.tm_mday,
                               months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    text.assign(line, static_cast<size_t>(length));
    return text;
}

void prepend_head(cb_block &block, const HeadLines &lines, const std::string &date, const std::string &server) {
    char head[cb_block::front];
    char *at = put(head, "HTTP/1.1 ");
    at = put_number(at, static_cast<uint64_t>(lines.status));
    *at++ = ' ';
    const char *words = phrase(lines.status);
    at = put(at, words, std::strlen(words));
    at = put(at, "\r\nDate: ");
    at = put(at, date.data(), date.size());
    at = put(at, "\r\nServer: ");
    at = put(at, server.data(), server.size());
    if (lines.close)
        at = put(at, "\r\nConnection: close");
    else if (lines.keep_alive)
        at = put(at, "\r\nConnection: keep-alive");
    if (lines.chunked)
        at = put(at, "\r\nTransfer-Encoding: chunked");
    if (lines.content_length >= 0)
        at = put_number(put(at, "\r\nContent-Length: "), static_cast<uint64_t>(lines.content_length));
    at = put(at, "\r\n");
    size_t length = static_cast<size_t>(at - head);
    block.begin -= length;
    std::memcpy(block.bytes + block.begin, head, length);
}

void frame_chunk(cb_block &block) {
    char line[24];
    int length = std::snprintf(line, sizeof line, "%zx\r\n", block.size());
    block.begin -= static_cast<size_t>(length);
    std::memcpy(block.bytes + block.begin, line, static_cast<size_t>(length));
    std::memcpy(block.bytes + block.end, "\r\n", 2);
    block.end += 2;
}

Block text_block(const char *text, size_t length) {
    Block block(cb_block_create(length));
    std::memcpy(cb_block_bytes(block.get()), text, length);
    return block;
}

} // namespace cb

cb_block *cb_block_create(size_t length) {
    void *memory = std::malloc(sizeof(cb_block) + cb_block::front + length + cb_block::back);
    if (memory == nullptr)
        std::abort();
    auto *block = static_cast<cb_block *>(memory);
    block->begin = cb_block::front;
    block->end = cb_block::front + length;
    block->next = nullptr;
    return block;
}

char *cb_block_bytes(cb_block *block) { return block->bytes + block->begin; }

void cb_block_destroy(cb_block *block) { std::free(block); }

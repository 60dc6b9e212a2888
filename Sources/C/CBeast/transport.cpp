#include "transport.hpp"

#include <algorithm>
#include <cerrno>
#include <openssl/err.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cb {

namespace {

constexpr size_t most_per_call = 1 << 20;

Moved result_of_call(ssize_t result, Moved::Kind blocked) {
    if (result > 0)
        return {Moved::some, static_cast<size_t>(result)};
    if (result == 0)
        return {Moved::end};
    return {errno == EAGAIN || errno == EWOULDBLOCK ? blocked : Moved::failed};
}

template <typename Call> ssize_t restarted(Call call) {
    ssize_t result;
    do
        result = call();
    while (result < 0 && errno == EINTR);
    return result;
}

} // namespace

Transport::Transport(int descriptor, SSL_CTX *context) : socket(descriptor) {
    if (context == nullptr)
        return;
    ssl = SSL_new(context);
    if (ssl != nullptr)
        SSL_set_fd(ssl, socket);
}

Transport::~Transport() { SSL_free(ssl); }

bool Transport::has_pending() const { return ssl != nullptr && SSL_has_pending(ssl) != 0; }

Moved Transport::result_of(int result) {
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return {Moved::want_read};
    case SSL_ERROR_WANT_WRITE:
        return {Moved::want_write};
    case SSL_ERROR_ZERO_RETURN:
        return {Moved::end};
    default:
        return {Moved::failed};
    }
}

Moved Transport::shake_hands() {
    ERR_clear_error();
    int result = SSL_accept(ssl);
    if (result == 1)
        return {Moved::some};
    bool plain = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
    return plain ? Moved{Moved::plain_text} : result_of(result);
}

Moved Transport::read(char *bytes, size_t length) {
    if (ssl == nullptr)
        return result_of_call(restarted([&] { return ::recv(socket, bytes, length, 0); }), Moved::want_read);
    ERR_clear_error();
    int result = SSL_read(ssl, bytes, static_cast<int>(std::min(length, most_per_call)));
    return result > 0 ? Moved{Moved::some, static_cast<size_t>(result)} : result_of(result);
}

Moved Transport::write(const char *bytes, size_t length) {
    if (ssl == nullptr)
        return result_of_call(restarted([&] { return ::send(socket, bytes, length, MSG_NOSIGNAL); }),
                              Moved::want_write);
    ERR_clear_error();
    int result = SSL_write(ssl, bytes, static_cast<int>(std::min(length, most_per_call)));
    return result > 0 ? Moved{Moved::some, static_cast<size_t>(result)} : result_of(result);
}

Moved Transport::send_file(int file, int64_t offset, size_t length) {
    length = std::min(length, most_per_call);
    if (ssl == nullptr) {
        off_t at = offset;
        return result_of_call(restarted([&] { return ::sendfile(socket, file, &at, length); }), Moved::want_write);
    }
    char piece[16 * 1024];
    ssize_t got = restarted([&] { return ::pread(file, piece, std::min(length, sizeof piece), offset); });
    if (got <= 0)
        return {got == 0 ? Moved::end : Moved::failed};
    return write(piece, static_cast<size_t>(got));
}

void Transport::shut_down_writing() {
    if (ssl != nullptr && SSL_is_init_finished(ssl)) {
        ERR_clear_error();
        SSL_shutdown(ssl);
    }
    ::shutdown(socket, SHUT_WR);
}

Moved Transport::discard(char *scratch, size_t length) {
    return result_of_call(restarted([&] { return ::recv(socket, scratch, length, 0); }), Moved::want_read);
}

void Transport::drop_tls() {
    SSL_free(ssl);
    ssl = nullptr;
}

} // namespace cb

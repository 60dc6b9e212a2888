#pragma once

#include "tls.hpp"

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace cb {

/// What became of one attempt to move bytes.
struct Moved {
    enum Kind { some, end, want_read, want_write, failed, plain_text };
    Kind kind;
    size_t count = 0;
};

/// A connected socket that never blocks, plain or with TLS. It does not own the descriptor.
class Transport {
  public:
    Transport(int descriptor, SSL_CTX *context);
    ~Transport();
    Transport(const Transport &) = delete;

    int descriptor() const { return socket; }
    bool is_tls() const { return ssl != nullptr; }
    /// Whether decrypted bytes wait that no event of the socket will announce.
    bool has_pending() const;

    /// One step of the handshake; `some` when it is complete, `plain_text` when the client does not speak TLS.
    Moved shake_hands();
    Moved read(char *bytes, size_t length);
    Moved write(const char *bytes, size_t length);
    /// Sends a part of a file, by the kernel where that can be; `end` when the file is too short.
    Moved send_file(int file, int64_t offset, size_t length);
    /// Tells the peer that nothing follows.
    void shut_down_writing();
    /// Drops what the peer has sent, without decrypting it.
    Moved discard(char *scratch, size_t length);
    /// Goes on without TLS, to tell a client about its mistake.
    void drop_tls();

  private:
    Moved result_of(int result);

    int socket;
    SSL *ssl = nullptr;
};

} // namespace cb

#pragma once

#include "CBeast.h"

#include <memory>
#include <openssl/ssl.h>
#include <string>

namespace cb {

struct ContextDeleter {
    void operator()(SSL_CTX *context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, ContextDeleter>;

/// Checks and loads certificate and key. Null and the reason in words when they cannot serve.
TlsContext make_tls_context(const cb_tls &tls, std::string &problem);

} // namespace cb

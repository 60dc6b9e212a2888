// Certificates and keys, and what we offer to a TLS client.
#include "tls.hpp"

#include <cstring>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string_view>

namespace cb {

namespace {

template <typename T, void (*release)(T *)> struct Deleter {
    void operator()(T *object) const { release(object); }
};
using Certificate = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;
struct BioDeleter {
    void operator()(BIO *bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioDeleter>;

Bio reader(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string last_error() {
    unsigned long code = ERR_peek_last_error();
    const char *words = code != 0 ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return words != nullptr ? words : "no reason given";
}

/// What is wrong with a file before OpenSSL sees it: mistakes that it reports in words nobody understands.
std::string look_at(std::string_view text, const char *what, const char *marker) {
    std::string name(what);
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return "the " + name + " is empty";
    // A sequence of ASN.1 and its length, in one byte or in more.
    auto second = static_cast<unsigned char>(text.size() > 1 ? text[1] : 0);
    if (text[0] == 0x30 && (second > 0x80 || second + 2u == text.size()))
        return "the " + name + " is in DER form; PEM is needed (convert it with openssl)";
    if (text.find(marker) == std::string_view::npos || text.find("-----BEGIN ") == std::string_view::npos)
        return "the " + name + " has no PEM block that ends in \"" + marker + "\"";
    return "";
}

int no_password(char *, int, int, void *) { return -1; }

bool use_certificate(SSL_CTX *context, std::string_view text, std::string &problem) {
    problem = look_at(text, "certificate", "CERTIFICATE-----");
    if (!problem.empty())
        return false;
    Bio bio = reader(text);
    Certificate leaf(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
        problem = "the certificate cannot be used: " + last_error();
        return false;
    }
    while (true) {
        Certificate next(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
        if (!next)
            break;
        if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) {
            problem = "a certificate of the chain cannot be used: " + last_error();
            return false;
        }
        (void)next.release();
    }
    bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!ended)
        problem = "a certificate of the chain cannot be read: " + last_error();
    ERR_clear_error();
    return ended;
}

bool use_key(SSL_CTX *context, std::string_view text, std::string &problem) {
    problem = look_at(text, "private key", "PRIVATE KEY-----");
    if (!problem.empty())
        return false;
    if (text.find("ENCRYPTED") != std::string_view::npos) {
        problem =
            "the private key is encrypted; store it without a passphrase (openssl pkey -in key.pem -out plain.pem)";
        return false;
    }
    Bio bio = reader(text);
    Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    if (!key) {
        problem = "the private key cannot be read: " + last_error();
        return false;
    }
    if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1) {
        ERR_clear_error();
        problem = "the private key does not belong to the certificate";
        return false;
    }
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
        problem = "the private key cannot be used: " + last_error();
        return false;
    }
    return true;
}

/// `http/1.1` or nothing: a client that offers only others is refused.
int choose_protocol(SSL *, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
                    unsigned int in_length, void *) {
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_length, ours, sizeof ours - 1, in, in_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

bool set_versions(SSL_CTX *context, int minimum, std::string &problem) {
    int version = 0;
    switch (minimum) {
    case 10:
        version = TLS1_VERSION;
        break;
    case 11:
        version = TLS1_1_VERSION;
        break;
    case 12:
        version = TLS1_2_VERSION;
        break;
    case 13:
        version = TLS1_3_VERSION;
        break;
    default:
        problem = "the minimum version of TLS is not one of 1.0, 1.1, 1.2 and 1.3";
        return false;
    }
    // Forward secrecy always. What 1.0 and 1.1 need beyond that is only offered when they are asked for: their
    // signatures use SHA-1, which OpenSSL 3 has at security level 0 only.
    const char *ciphers =
        minimum >= 12 ? "ECDHE+AESGCM:ECDHE+CHACHA20" : "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:@SECLEVEL=0";
    if (SSL_CTX_set_min_proto_version(context, version) != 1 || SSL_CTX_set_cipher_list(context, ciphers) != 1) {
        problem = "the minimum version of TLS cannot be set: " + last_error();
        return false;
    }
    return true;
}

} // namespace

TlsContext make_tls_context(const cb_tls &tls, std::string &problem) {
    ERR_clear_error();
    TlsContext context(SSL_CTX_new(TLS_server_method()));
    if (!context) {
        problem = "OpenSSL gives no context: " + last_error();
        return nullptr;
    }
    if (!set_versions(context.get(), tls.minimum, problem) ||
        !use_certificate(context.get(), {tls.certificate, tls.certificate_length}, problem) ||
        !use_key(context.get(), {tls.key, tls.key_length}, problem))
        return nullptr;
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // Sessions are resumed by tickets; a store of them would only grow.
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
    return context;
}

} // namespace cb

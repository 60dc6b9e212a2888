#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

/// Makes SHA-256 the digest of an HMAC context. In C, because parameters keep pointers to texts that Swift would free.
static inline int cairn_hmac_use_sha256(EVP_MAC_CTX *context) {
    char name[] = "SHA2-256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(context, parameters);
}

/// Makes a public key of a type from parameters, which it frees. NULL when they are those of no key.
static inline EVP_PKEY *cairn_public_key(const char *type, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = parameters ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    if (context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    ERR_clear_error();
    return key;
}

/// An RSA key from its numbers, most significant byte first.
static inline EVP_PKEY *cairn_rsa_public_key(const unsigned char *modulus, int modulus_length,
                                             const unsigned char *exponent, int exponent_length) {
    BIGNUM *n = BN_bin2bn(modulus, modulus_length, NULL);
    BIGNUM *e = BN_bin2bn(exponent, exponent_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY *key = cairn_public_key("RSA", parameters);
    BN_free(n);
    BN_free(e);
    return key;
}

/// A key on a named curve from its point, uncompressed. NULL for a point that is not on the curve.
static inline EVP_PKEY *cairn_ec_public_key(const char *curve, const unsigned char *point, size_t length) {
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    if (builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, length) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY *key = cairn_public_key("EC", parameters);
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    int is_good = context && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    if (is_good)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/// Whether a signature is that of a message: 1, or 0 for anything else. `digest` is NULL for keys with one of their
/// own; `is_pss` chooses the padding of RSA, with a salt as long as the digest.
static inline int cairn_verify(EVP_PKEY *key, const char *digest, int is_pss, const unsigned char *signature,
                               size_t signature_length, const unsigned char *message, size_t message_length) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    int is_good = context && EVP_DigestVerifyInit_ex(context, &parameters, digest, NULL, NULL, key, NULL) == 1;
    if (is_good && is_pss)
        is_good = EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1;
    if (is_good)
        is_good = EVP_DigestVerify(context, signature, signature_length, message, message_length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_good;
}

/// The same for a signature of a curve as two numbers of `half` bytes each (RFC 7518 §3.4).
static inline int cairn_verify_ec(EVP_PKEY *key, const char *digest, const unsigned char *numbers, int half,
                                  const unsigned char *message, size_t message_length) {
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(numbers, half, NULL);
    BIGNUM *s = BN_bin2bn(numbers + half, half, NULL);
    unsigned char *der = NULL;
    int length = -1;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL;
        length = i2d_ECDSA_SIG(pair, &der);
    }
    int is_good = length > 0 && cairn_verify(key, digest, 0, der, (size_t)length, message, message_length);
    OPENSSL_free(der);
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return is_good;
}

/// Encrypts for the holder of an RSA key: OAEP with SHA-256 for the label, which is empty, and for the mask (RFC 8017
/// §7.1). `output` has room for the modulus. 1, or 0 for a message that is too long.
static inline int cairn_rsa_oaep_sha256(EVP_PKEY *key, const unsigned char *message, size_t message_length,
                                        unsigned char *output, size_t *output_length) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int is_good = context && EVP_PKEY_encrypt_init(context) == 1 &&
                  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1 &&
                  EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
                  EVP_PKEY_encrypt(context, output, output_length, message, message_length) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return is_good;
}

/// Signs with a private RSA key as PEM text: PKCS #1 v1.5 with SHA-256 (`RS256` of RFC 7518). The length of the
/// signature, or 0 for a text that holds no such key, and for an output that is too small.
static inline size_t cairn_rs256(const void *pem, int pem_length, const unsigned char *message, size_t message_length,
                                 unsigned char *output, size_t capacity) {
    BIO *text = BIO_new_mem_buf(pem, pem_length);
    // The empty passphrase keeps OpenSSL from asking a terminal for one.
    EVP_PKEY *key = text ? PEM_read_bio_PrivateKey(text, NULL, NULL, (void *)"") : NULL;
    EVP_MD_CTX *context = key && EVP_PKEY_is_a(key, "RSA") ? EVP_MD_CTX_new() : NULL;
    size_t length = capacity;
    int is_good = context && EVP_DigestSignInit_ex(context, NULL, "SHA2-256", NULL, NULL, key, NULL) == 1 &&
                  EVP_DigestSign(context, output, &length, message, message_length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    BIO_free(text);
    ERR_clear_error();
    return is_good ? length : 0;
}

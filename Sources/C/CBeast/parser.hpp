#pragma once

#include "CBeast.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace cb {

struct HeadLimits {
    uint32_t head;
    uint32_t target;
    uint32_t fields;
};

enum class Parsed { more, done, refused };

/// Beast's parser, hidden, with the rules that Beast leaves to us: one request at a time, used again for the next.
class RequestParser {
  public:
    RequestParser();
    ~RequestParser();

    /// Makes it ready for a new head.
    void reset(const HeadLimits &limits);

    /// Takes bytes of the head. What was not consumed must be given again with more behind it.
    Parsed feed(const char *bytes, size_t length, size_t &consumed);

    /// Decodes the body in place: `produced` bytes of it are at `bytes` afterwards. Not to be called after its end.
    Parsed decode(char *bytes, size_t length, size_t &consumed, size_t &produced);

    /// After `Parsed::refused`.
    cb_reason reason() const;

    // After the head.
    const std::string &packed() const;
    uint32_t method_length() const;
    uint32_t target_length() const;
    uint32_t field_count() const;
    bool http11() const;
    bool keep_alive() const;
    bool expects_continue() const;
    bool chunked() const;
    /// Of the body that was not decoded yet; 0 when it comes in chunks.
    uint64_t remaining() const;
    bool body_done() const;
    /// Whether the request line asks for HEAD; meaningful as soon as the line is there.
    bool is_head() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl;
};

} // namespace cb

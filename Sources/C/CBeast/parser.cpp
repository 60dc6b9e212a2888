// The only file that sees Beast.
#include "parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>

namespace cb {

namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using beast::string_view;

namespace {

/// Beast's own limit, only to be out of the way of ours.
constexpr uint32_t beast_header_limit = 256 * 1024;
constexpr size_t max_method = 32;

bool same_text(string_view a, string_view b) { return beast::iequals(a, b); }

/// No white space, no second name, nothing that begins a path, a user or a fragment (RFC 3986 §3.2).
bool is_host(string_view text) {
    if (text.empty())
        return false;
    for (unsigned char c : text)
        if (c <= 0x20 || c >= 0x7f || std::strchr("/\\@,?#\"<>{}|^`", c) != nullptr)
            return false;
    return true;
}

/// Puts a request into one block while Beast reads it.
class Collector final : public http::basic_parser<true> {
  public:
    Collector(std::string &packed, const HeadLimits &limits) : packed(packed), limits(limits) {
        header_limit(beast_header_limit);
        body_limit(boost::none);
    }

    std::string &packed;
    const HeadLimits limits;
    uint32_t head_size = 0, method_length = 0, target_length = 0, field_count = 0;
    uint32_t hosts = 0, lengths = 0, encodings = 0, expectations = 0;
    size_t host_offset = 0, host_length = 0;
    bool has_line = false, http11 = false, head_method = false, head_done = false;
    bool length_list = false, chunked_only = true, continue_only = true;
    std::optional<cb_reason> refusal;
    char *sink = nullptr;
    size_t produced = 0;

    /// The rules that Beast does not know, on the whole head.
    std::optional<cb_reason> judge() {
        if (hosts > 1 || (http11 && hosts == 0))
            return CB_BAD_HOST;
        if (hosts == 1 && !is_host({packed.data() + host_offset, host_length}))
            return CB_BAD_HOST;
        if (lengths > 1 || length_list || (encodings > 0 && (lengths > 0 || !http11)))
            return CB_BAD_FRAMING;
        if (encodings > 1 || (encodings == 1 && !chunked_only))
            return CB_UNKNOWN_ENCODING;
        if (http11 && expectations > 0 && (expectations > 1 || !continue_only))
            return CB_UNKNOWN_EXPECTATION;
        return judge_target();
    }

  private:
    /// Origin form, `OPTIONS *`, or the absolute form for the host that the request names anyway (RFC 9112 §3.2).
    std::optional<cb_reason> judge_target() {
        string_view method(packed.data(), method_length);
        string_view target(packed.data() + method_length, target_length);
        if (method == "CONNECT")
            return CB_CONNECT;
        for (unsigned char c : target)
            if (c >= 0x7f || c == '#')
                return CB_BAD_TARGET;
        if (target.front() == '/')
            return std::nullopt;
        if (target == "*")
            return method == "OPTIONS" ? std::nullopt : std::optional(CB_BAD_TARGET);
        size_t scheme = 0;
        if (target.size() > 7 && same_text(target.substr(0, 7), "http://"))
            scheme = 7;
        else if (target.size() > 8 && same_text(target.substr(0, 8), "https://"))
            scheme = 8;
        else
            return CB_BAD_TARGET;
        size_t end = scheme;
        while (end < target.size() && target[end] != '/' && target[end] != '?')
            ++end;
        string_view host(packed.data() + host_offset, hosts == 1 ? host_length : 0);
        if (!same_text(target.substr(scheme, end - scheme), host))
            return CB_BAD_HOST;
        bool needs_slash = end == target.size() || target[end] == '?';
        packed.replace(method_length, end, needs_slash ? "/" : "");
        target_length = static_cast<uint32_t>(target_length - end + (needs_slash ? 1 : 0));
        return std::nullopt;
    }

    void refuse(cb_reason reason, error_code &ec) {
        refusal = reason;
        ec = http::error::bad_value;
    }

    void on_request_impl(http::verb, string_view method, string_view target, int version, error_code &ec) override {
        has_line = true;
        http11 = version >= 11;
        head_method = method == "HEAD";
        if (method.size() > max_method)
            return refuse(CB_MALFORMED, ec);
        if (target.size() > limits.target)
            return refuse(CB_TARGET_TOO_LONG, ec);
        packed.append(method.data(), method.size());
        packed.append(target.data(), target.size());
        method_length = static_cast<uint32_t>(method.size());
        target_length = static_cast<uint32_t>(target.size());
    }

    void on_response_impl(int, string_view, int, error_code &) override {}

    void on_field_impl(http::field field, string_view name, string_view value, error_code &ec) override {
        if (head_done)
            return judge_trailer(field, ec);
        if (++field_count > limits.fields)
            return refuse(CB_TOO_MANY_FIELDS, ec);
        uint16_t sizes[2] = {static_cast<uint16_t>(name.size()), static_cast<uint16_t>(value.size())};
        packed.append(reinterpret_cast<const char *>(sizes), sizeof sizes);
        packed.append(name.data(), name.size());
        note(field, value);
        packed.append(value.data(), value.size());
    }

    /// Trailers are dropped; one that another reader could take for the framing breaks the body.
    void judge_trailer(http::field field, error_code &ec) {
        if (field == http::field::content_length || field == http::field::transfer_encoding)
            ec = http::error::bad_value;
    }

    void note(http::field field, string_view value) {
        switch (field) {
        case http::field::host:
            ++hosts;
            host_offset = packed.size();
            host_length = value.size();
            break;
        case http::field::content_length:
            ++lengths;
            for (char c : value)
                length_list = length_list || c < '0' || c > '9';
            break;
        case http::field::transfer_encoding:
            ++encodings;
            chunked_only = chunked_only && same_text(value, "chunked");
            break;
        case http::field::expect:
            ++expectations;
            continue_only = continue_only && same_text(value, "100-continue");
            break;
        default:
            break;
        }
    }

    // Pure in newer versions of Beast, unknown to 1.81: hence no `override`.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsuggest-override"
#ifdef __clang__
#pragma clang diagnostic ignored "-Winconsistent-missing-override"
#endif
    void on_trailer_field_impl(http::field field, string_view, string_view, error_code &ec) {
        judge_trailer(field, ec);
    }
#pragma GCC diagnostic pop

    void on_header_impl(error_code &) override { head_done = true; }
    void on_body_init_impl(boost::optional<std::uint64_t> const &, error_code &) override {}
    size_t on_body_impl(string_view bytes, error_code &) override { return take(bytes); }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code &) override {}
    size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code &) override { return take(bytes); }
    void on_finish_impl(error_code &) override {}

    /// Moves body bytes to the front, over the framing that precedes them.
    size_t take(string_view bytes) {
        if (sink + produced != bytes.data())
            std::memmove(sink + produced, bytes.data(), bytes.size());
        produced += bytes.size();
        return bytes.size();
    }
};

cb_reason reason_of(const error_code &ec, const Collector &head) {
    if (ec == http::error::header_limit)
        return CB_HEAD_TOO_LARGE;
    if (ec == http::error::bad_target)
        return CB_BAD_TARGET;
    // Newer versions refuse an unknown coding at the end of the head, before we can.
    if (ec == http::error::bad_transfer_encoding && head.http11 && head.lengths == 0 && !head.chunked_only)
        return CB_UNKNOWN_ENCODING;
    if (ec == http::error::bad_content_length || ec == http::error::bad_transfer_encoding ||
        ec == http::error::multiple_content_length)
        return CB_BAD_FRAMING;
    return CB_MALFORMED;
}

/// Whether the line of a chunk's size has ended inside of a quoted string. Beast 1.81 looks for the end of the string
/// in what follows, and would wait for it.
bool ends_in_quotes(string_view text) {
    size_t start = text.substr(0, 2) == "\r\n" ? 2 : 0;
    size_t end = text.find("\r\n", start);
    bool quoted = false;
    for (size_t i = start; end != string_view::npos && i < end; ++i) {
        if (quoted && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            quoted = !quoted;
    }
    return quoted;
}

} // namespace

class RequestParser::Impl {
  public:
    std::string packed;
    std::optional<Collector> collector;
    cb_reason reason = CB_MALFORMED;

    Parsed refuse(cb_reason why) {
        reason = why;
        return Parsed::refused;
    }
};

RequestParser::RequestParser() : impl(std::make_unique<Impl>()) { impl->packed.reserve(1024); }
RequestParser::~RequestParser() = default;

void RequestParser::reset(const HeadLimits &limits) {
    impl->packed.clear();
    impl->collector.emplace(impl->packed, limits);
}

Parsed RequestParser::feed(const char *bytes, size_t length, size_t &consumed) {
    auto &collector = *impl->collector;
    error_code ec;
    collector.eager(false);
    consumed = collector.put(boost::asio::const_buffer(bytes, length), ec);
    collector.head_size += static_cast<uint32_t>(consumed);
    if (ec && ec != http::error::need_more)
        return impl->refuse(collector.refusal ? *collector.refusal : reason_of(ec, collector));
    if (collector.is_header_done()) {
        if (collector.head_size > collector.limits.head)
            return impl->refuse(CB_HEAD_TOO_LARGE);
        auto refusal = collector.judge();
        if (!refusal && collector.content_length().value_or(0) > INT64_MAX)
            refusal = CB_BAD_FRAMING;
        return refusal ? impl->refuse(*refusal) : Parsed::done;
    }
    size_t pending = length - consumed;
    if (!collector.has_line && pending > collector.limits.target + max_method + 16)
        return impl->refuse(CB_TARGET_TOO_LONG);
    if (collector.head_size + pending >= collector.limits.head)
        return impl->refuse(CB_HEAD_TOO_LARGE);
    return Parsed::more;
}

Parsed RequestParser::decode(char *bytes, size_t length, size_t &consumed, size_t &produced) {
    auto &collector = *impl->collector;
    error_code ec;
    collector.eager(true);
    collector.sink = bytes;
    collector.produced = 0;
    consumed = collector.put(boost::asio::const_buffer(bytes, length), ec);
    produced = collector.produced;
    if (ec && ec != http::error::need_more)
        return impl->refuse(CB_MALFORMED_BODY);
    if (collector.chunked() && !collector.is_done() && ends_in_quotes({bytes + consumed, length - consumed}))
        return impl->refuse(CB_MALFORMED_BODY);
    return collector.is_done() ? Parsed::done : Parsed::more;
}

cb_reason RequestParser::reason() const { return impl->reason; }
const std::string &RequestParser::packed() const { return impl->packed; }
uint32_t RequestParser::method_length() const { return impl->collector->method_length; }
uint32_t RequestParser::target_length() const { return impl->collector->target_length; }
uint32_t RequestParser::field_count() const { return impl->collector->field_count; }
bool RequestParser::http11() const { return impl->collector->http11; }
bool RequestParser::keep_alive() const { return impl->collector->keep_alive(); }
bool RequestParser::chunked() const { return impl->collector->chunked(); }
bool RequestParser::body_done() const { return impl->collector->is_done(); }
bool RequestParser::is_head() const { return impl->collector->head_method; }
bool RequestParser::expects_continue() const {
    return impl->collector->http11 && impl->collector->expectations == 1 && !impl->collector->is_done();
}
uint64_t RequestParser::remaining() const {
    auto rest = impl->collector->content_length_remaining();
    return rest ? *rest : 0;
}

} // namespace cb

#pragma once

#include "CBeast.h"
#include "limits.hpp"
#include "tls.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cb {

class Loop;
class Listener;

struct Refusal {
    int status = 500;
    std::string fields;
    std::string body;
};

/// What all loops know: the configuration (never changed after the start) and a few shared numbers.
struct Shared {
    cb_config config{};
    cb_callbacks callbacks{};
    void *context = nullptr;
    std::string server_name;
    Refusal refusals[CB_ANSWERED_REASONS];
    AddressTable addresses;

    std::atomic<bool> draining{false};
    std::atomic<uint64_t> accepted{0};
    std::atomic<uint64_t> active{0};

    std::mutex tls_mutex;
    TlsContext tls;

    /// One connection less; tells when a drain is complete.
    void connection_closed();
};

} // namespace cb

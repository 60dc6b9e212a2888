#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <sys/socket.h>
#include <unordered_map>
#include <vector>

namespace cb {

/// An address as 16 bytes; IPv4 is mapped into IPv6.
using AddressBytes = std::array<uint8_t, 16>;

/// The peer of a connection, in words and for counting.
struct Peer {
    std::string text;
    uint16_t port = 0;
    AddressBytes address{};

    explicit Peer(const sockaddr_storage &storage);
};

/// Counts connections by address: IPv4 by address, IPv6 by the 64 bits that one customer has.
class AddressTable {
  public:
    /// Adds an address or a network (`10.0.0.0/8`) that is not counted; false when it is neither.
    bool exempt(const std::string &text);

    bool add(const AddressBytes &address, uint32_t limit);
    void remove(const AddressBytes &address);

  private:
    struct Network {
        AddressBytes address;
        unsigned bits;
    };
    struct Hash {
        size_t operator()(const AddressBytes &address) const;
    };

    bool is_exempt(const AddressBytes &address) const;

    std::vector<Network> networks;
    std::mutex mutex;
    std::unordered_map<AddressBytes, uint32_t, Hash> counts;
};

} // namespace cb

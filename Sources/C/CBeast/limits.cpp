#include "limits.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <string_view>

namespace cb {

namespace {

const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const AddressBytes &address) { return std::memcmp(address.data(), mapped_prefix, 12) == 0; }

void set_mapped(AddressBytes &address, const in_addr &four) {
    std::memcpy(address.data(), mapped_prefix, 12);
    std::memcpy(address.data() + 12, &four, 4);
}

AddressBytes counted_part(AddressBytes address) {
    if (!is_mapped(address))
        std::memset(address.data() + 8, 0, 8);
    return address;
}

bool same_network(const AddressBytes &a, const AddressBytes &b, unsigned bits) {
    unsigned whole = bits / 8;
    if (std::memcmp(a.data(), b.data(), whole) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    uint8_t mask = static_cast<uint8_t>(0xff << (8 - bits % 8));
    return ((a[whole] ^ b[whole]) & mask) == 0;
}

} // namespace

Peer::Peer(const sockaddr_storage &storage) {
    char buffer[INET6_ADDRSTRLEN] = "";
    if (storage.ss_family == AF_INET) {
        auto &four = reinterpret_cast<const sockaddr_in &>(storage);
        set_mapped(address, four.sin_addr);
        port = ntohs(four.sin_port);
    } else if (storage.ss_family == AF_INET6) {
        auto &six = reinterpret_cast<const sockaddr_in6 &>(storage);
        std::memcpy(address.data(), &six.sin6_addr, 16);
        port = ntohs(six.sin6_port);
    }
    bool four = is_mapped(address);
    inet_ntop(four ? AF_INET : AF_INET6, address.data() + (four ? 12 : 0), buffer, sizeof buffer);
    text = buffer;
}

bool AddressTable::exempt(const std::string &text) {
    size_t slash = text.find('/');
    std::string host = text.substr(0, slash);
    Network network{};
    in_addr four;
    unsigned most = 128;
    if (inet_pton(AF_INET, host.c_str(), &four) == 1) {
        set_mapped(network.address, four);
        most = 32;
    } else if (inet_pton(AF_INET6, host.c_str(), network.address.data()) != 1) {
        return false;
    }
    unsigned bits = most;
    if (slash != std::string::npos) {
        std::string_view digits = std::string_view(text).substr(slash + 1);
        if (digits.empty() || digits.size() > 3)
            return false;
        bits = 0;
        for (char digit : digits) {
            if (digit < '0' || digit > '9')
                return false;
            bits = bits * 10 + static_cast<unsigned>(digit - '0');
        }
        if (bits > most)
            return false;
    }
    network.bits = bits + (128 - most);
    networks.push_back(network);
    return true;
}

bool AddressTable::is_exempt(const AddressBytes &address) const {
    for (const Network &network : networks)
        if (same_network(address, network.address, network.bits))
            return true;
    return false;
}

bool AddressTable::add(const AddressBytes &address, uint32_t limit) {
    if (is_exempt(address))
        return true;
    std::lock_guard lock(mutex);
    uint32_t &count = counts[counted_part(address)];
    if (count >= limit)
        return false;
    ++count;
    return true;
}

void AddressTable::remove(const AddressBytes &address) {
    if (is_exempt(address))
        return;
    std::lock_guard lock(mutex);
    auto found = counts.find(counted_part(address));
    if (found != counts.end() && --found->second == 0)
        counts.erase(found);
}

size_t AddressTable::Hash::operator()(const AddressBytes &address) const {
    uint64_t halves[2];
    std::memcpy(halves, address.data(), 16);
    return static_cast<size_t>((halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL);
}

} // namespace cb

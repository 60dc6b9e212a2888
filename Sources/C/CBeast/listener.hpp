#pragma once

#include "loop.hpp"

#include <memory>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace cb {

/// One listening socket. Accepts on the first loop and hands each connection to the loop that has the fewest.
class Listener final : public Pollable {
  public:
    Listener(std::shared_ptr<Shared> shared, std::vector<std::shared_ptr<Loop>> loops, int descriptor);
    ~Listener() override;

    // On the first loop's thread.
    void begin();
    /// Takes what has connected already, then closes.
    void close();
    void on_readable() override;
    void on_writable() override {}

  private:
    enum class Accepted { one, none, exhausted };

    Accepted accept_one();
    void welcome(int descriptor, const sockaddr_storage &address);

    const std::shared_ptr<Shared> shared;
    const std::vector<std::shared_ptr<Loop>> loops;
    const int descriptor;
    Watch watch;
    bool open = false;
};

/// A bound, listening socket and its port, or −1 and the reason.
int listen_on(const cb_address &address, uint16_t &port, cb_error &error);

} // namespace cb

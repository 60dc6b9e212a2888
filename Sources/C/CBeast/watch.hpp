#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <memory>

namespace cb {

class Loop;

/// What a loop calls when its descriptor is ready. It closes its watch before it goes.
class Pollable {
  public:
    virtual ~Pollable() = default;
    virtual void on_readable() = 0;
    virtual void on_writable() = 0;

    void retain() { references.fetch_add(1, std::memory_order_relaxed); }
    void release() {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

  private:
    std::atomic<int> references{0};
};

inline void intrusive_ptr_add_ref(Pollable *object) { object->retain(); }
inline void intrusive_ptr_release(Pollable *object) { object->release(); }

/// Waits for one descriptor, which it owns once open. Only to be used on the loop's thread.
///
/// The kernel goes on watching after a wait: the next one, which is mostly for the same thing, costs no system call.
/// What is ready while nobody waits for it is watched no longer.
class Watch {
  public:
    ~Watch();

    void open(Loop &loop, int number);
    void close();
    /// Calls `on_readable` once; a wait that is under way serves.
    void wait_read(Pollable *owner);
    void wait_write(Pollable *owner);

  private:
    friend class Loop;

    /// What the kernel names in its events: it outlives its watch until all that were reported together are looked at.
    struct Descriptor {
        int number;
        Watch *watch;
        uint32_t watched = 0;
    };

    uint32_t wanted() const;
    void wait(bool &flag, Pollable *asking);

    Loop *loop = nullptr;
    std::unique_ptr<Descriptor> descriptor;
    Pollable *owner = nullptr;
    bool reading = false;
    bool writing = false;
};

} // namespace cb

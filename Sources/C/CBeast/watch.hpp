#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <memory>

namespace cb {

class Loop;

/// What a loop calls when its descriptor is ready. Counted, because a wait holds it.
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
class Watch {
  public:
    Watch();
    ~Watch();

    void open(Loop &loop, int descriptor);
    void close();
    /// Calls `on_readable` once; a wait that is under way serves.
    void wait_read(Pollable *owner);
    void wait_write(Pollable *owner);

  private:
    struct Descriptor;
    std::unique_ptr<Descriptor> descriptor;
    bool reading = false;
    bool writing = false;
};

} // namespace cb

// SPDX-License-Identifier: Apache-2.0
// An open file descriptor, closed with the object. For io/ alone.
#pragma once

#include <utility>

#include <unistd.h>

namespace mailtight::io {

class descriptor {
public:
    explicit descriptor(int number = -1)
        : number_(number) {}
    descriptor(descriptor&& other) noexcept
        : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor() {
        if (number_ >= 0)
            ::close(number_);
    }
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

} // namespace mailtight::io

// SPDX-License-Identifier: Apache-2.0
// What a sending server does for every delivery asks for no memory: reading a record, reading a policy where
// it lies, and matching. The counter sees every operator new of this program.
#include "sts/match.h"
#include "sts/policy_view.h"
#include "sts/record.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

// The thread sanitizer brings an operator new that cannot be replaced: there this file proves nothing.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAILTIGHT_OWN_NEW 0
#endif
#endif
#ifndef MAILTIGHT_OWN_NEW

namespace {
thread_local std::size_t allocations = 0;
}
void* operator new(std::size_t size) {
    ++allocations;
    if (void* p = std::malloc(size ? size : 1))
        return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
    std::free(p); // NOLINT(clang-analyzer-cplusplus.NewDelete): what our operator new made
}
void operator delete(void* p, std::size_t) noexcept {
    std::free(p); // NOLINT(clang-analyzer-cplusplus.NewDelete)
}

namespace mailtight::sts {
namespace {
template<class Operation>
std::size_t allocations_of(Operation operation) {
    const std::size_t before = allocations;
    operation();
    return allocations - before;
}

TEST(no_allocation, the_counter_counts) {
    std::string made;
    EXPECT_EQ(allocations_of([&] { made.assign(100, 'x'); }), 1u);
    EXPECT_EQ(made.size(), 100u);
}

TEST(no_allocation, reading_a_record) {
    const std::string text = "v=STSv1; id=20160831085700Z012345678901234; x=1;";
    EXPECT_EQ(allocations_of([&] { ASSERT_TRUE(read_record_view(text)); }), 0u);
}

TEST(no_allocation, reading_a_policy_and_matching) {
    const std::string body =
        "version: STSv1\r\nmode: enforce\r\nmx: a-rather-long-name.mail.example.com\r\n"
        "mx: *.another-rather-long-name.example.net\r\nmax_age: 604800\r\nx-note: h\xc3\xa4llo\r\n";
    const std::string host = "MX1.another-rather-long-name.example.net.";
    const auto patterns = parse_policy(body).value().mx;
    EXPECT_EQ(allocations_of([&] {
                  const auto view = read_policy_view(body);
                  ASSERT_TRUE(view && view->admitted_by(host));
                  ASSERT_EQ(admitted_by(patterns, host), 1u);
                  ASSERT_FALSE(admitted_by(patterns, "example.org"));
              }),
              0u);
}

} // namespace
} // namespace mailtight::sts

#endif

// SPDX-License-Identifier: Apache-2.0
// A table by name that is asked with a view, safe against names that were chosen to collide. For publish/
// alone.
#pragma once

#include "base/keyed_hash.h"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mailtight::publish {

struct name_hash {
    using is_transparent = void;
    base::hash_key key = base::random_hash_key();
    std::size_t operator()(std::string_view name) const { return base::keyed_hash(key, name); }
};
template<class T>
using name_table = std::unordered_map<std::string, T, name_hash, std::equal_to<>>;

} // namespace mailtight::publish

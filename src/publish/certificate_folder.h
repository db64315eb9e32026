// SPDX-License-Identifier: Apache-2.0
// Certificates that another program keeps in a folder: certbot's live/NAME/fullchain.pem and privkey.pem,
// lego's NAME.crt and NAME.key, acme.sh's NAME/fullchain.cer and NAME.key, or NAME.pem with both in one.
// Looked at again and again; what is half written, or does not fit, leaves the certificate of before in
// place. Blocks on the disk (io::worker); one thread at a time.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mailtight::publish {

class certificate_folder {
public:
    explicit certificate_folder(std::filesystem::path folder);

    /// A certificate with its key, both PEM.
    struct pair {
        std::string file; ///< of the chain, for people
        std::vector<std::string> names;
        std::string chain, key;
        base::utc_seconds not_before{}, not_after{};
    };
    struct changes {
        std::vector<pair> fresh;       ///< new, or others than before
        std::vector<std::string> gone; ///< `file` of what was there before
        /// For people: of files that were the same at two looks, since both of a pair are written one after
        /// the other; said once.
        std::vector<std::string> trouble;
    };
    /// What changed since the last look; at the first, everything.
    changes look();

private:
    /// By which a file is seen to be another: its place on the disk, its length and time.
    struct stamp {
        std::uint64_t device = 0, inode = 0, bytes = 0;
        std::int64_t changed = 0;
        friend bool operator==(const stamp&, const stamp&) = default;
    };
    struct known {
        std::filesystem::path chain, key;
        stamp chain_stamp, key_stamp;
        bool whole = false;  ///< what `fresh` said last of it stands
        std::string trouble; ///< what is wrong with it
        bool told = false;   ///< of that
    };
    static stamp stamp_of(const std::filesystem::path& file);
    std::vector<known> candidates(changes& into) const;
    void read(known& one, changes& into) const;

    std::filesystem::path folder_;
    std::map<std::string, known> known_; ///< by the chain's file
    std::string trouble_;
};

} // namespace mailtight::publish

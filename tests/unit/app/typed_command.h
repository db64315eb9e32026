// SPDX-License-Identifier: Apache-2.0
// A command as somebody types it where no daemon runs: a folder of its own for the store, and what it says.
#pragma once

#include "app/options.h"
#include "support/scratch.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace mailtight::app {

class typed_command : public testing::Test {
protected:
    typed_command() {
        common_.set.store_where = folder_ / "store.db";
        common_.set.control_socket = folder_ / "control.sock"; // nobody listens
    }
    struct said {
        int status = 0;
        std::string out, err;
    };
    template<class Command>
    said run(Command command) {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        said all;
        all.status = command();
        all.out = testing::internal::GetCapturedStdout();
        all.err = testing::internal::GetCapturedStderr();
        return all;
    }
    std::string file(const std::string& name, const std::string& text) {
        const auto place = folder_ / name;
        std::ofstream(place) << text;
        return place;
    }

    tests::scratch_folder folder_;
    common_options common_;
};

} // namespace mailtight::app

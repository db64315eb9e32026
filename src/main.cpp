// SPDX-License-Identifier: Apache-2.0
#include "app/app.h"

int main(int argc, char** argv) {
    return mailtight::app::run(argc, argv);
}

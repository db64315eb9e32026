// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include "base/text.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <variant>

namespace mailtight::base {

struct metrics::state {
    using counters = prometheus::Family<prometheus::Counter>;
    using gauges = prometheus::Family<prometheus::Gauge>;
    struct family {
        const metric_entry* entry = nullptr;
        std::variant<counters*, gauges*, prometheus::Histogram*> series;
        std::vector<prometheus::Gauge*> made_gauges;
        std::vector<std::uint64_t> counted; ///< of a histogram, so far
        double sum = 0;
    };

    state() {
        for (const auto& entry : metric_table()) {
            family one{.entry = &entry, .series = static_cast<counters*>(nullptr)};
            if (entry.type == metric_entry::kind::counter)
                one.series = &prometheus::BuildCounter()
                                  .Name(std::string(entry.name))
                                  .Help(std::string(entry.help))
                                  .Register(registry);
            else if (entry.type == metric_entry::kind::histogram)
                one.series = &prometheus::BuildHistogram()
                                  .Name(std::string(entry.name))
                                  .Help(std::string(entry.help))
                                  .Register(registry)
                                  .Add({}, entry.bounds);
            else
                one.series = &prometheus::BuildGauge()
                                  .Name(std::string(entry.name))
                                  .Help(std::string(entry.help))
                                  .Register(registry);
            families.push_back(std::move(one));
        }
    }

    static prometheus::Labels named(const metric_entry& entry,
                                    std::initializer_list<std::string_view> values) {
        prometheus::Labels labels;
        auto value = values.begin();
        for (const auto& name : entry.labels) {
            labels[std::string(name)] = value == values.end() ? "" : printable(*value, 253);
            if (value != values.end())
                ++value;
        }
        return labels;
    }

    family& of(metric what) { return families[static_cast<std::size_t>(what)]; }

    prometheus::Counter& counter(family& in, std::initializer_list<std::string_view> labels) {
        return std::get<counters*>(in.series)->Add(named(*in.entry, labels));
    }
    prometheus::Gauge& gauge(family& in, std::initializer_list<std::string_view> labels) {
        auto& made = std::get<gauges*>(in.series)->Add(named(*in.entry, labels));
        if (std::find(in.made_gauges.begin(), in.made_gauges.end(), &made) == in.made_gauges.end())
            in.made_gauges.push_back(&made);
        return made;
    }

    std::mutex guard; // the library's own locks cover single calls, not read-then-raise
    prometheus::Registry registry;
    std::vector<family> families;
};

metrics::metrics()
    : state_(std::make_unique<state>()) {}
metrics::~metrics() = default;

void metrics::add(metric what, double more, std::initializer_list<std::string_view> labels) {
    std::lock_guard held(state_->guard);
    state_->counter(state_->of(what), labels).Increment(more);
}

void metrics::set(metric what, double value, std::initializer_list<std::string_view> labels) {
    std::lock_guard held(state_->guard);
    auto& family = state_->of(what);
    if (family.entry->type == metric_entry::kind::counter) {
        auto& counter = state_->counter(family, labels);
        if (value > counter.Value())
            counter.Increment(value - counter.Value());
    } else {
        state_->gauge(family, labels).Set(value);
    }
}

void metrics::set_histogram(metric what, std::span<const std::uint64_t> counts, double sum) {
    std::lock_guard held(state_->guard);
    auto& family = state_->of(what);
    family.counted.resize(counts.size());
    std::vector<double> more;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        more.push_back(counts[i] > family.counted[i] ? static_cast<double>(counts[i] - family.counted[i])
                                                     : 0);
        family.counted[i] = std::max(family.counted[i], counts[i]);
    }
    std::get<prometheus::Histogram*>(family.series)->ObserveMultiple(more, std::max(0.0, sum - family.sum));
    family.sum = std::max(family.sum, sum);
}

void metrics::clear(metric what) {
    std::lock_guard held(state_->guard);
    auto& family = state_->of(what);
    for (auto* gauge : family.made_gauges)
        std::get<state::gauges*>(family.series)->Remove(gauge);
    family.made_gauges.clear();
}

std::string metrics::expose() const {
    std::lock_guard held(state_->guard);
    return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

} // namespace mailtight::base

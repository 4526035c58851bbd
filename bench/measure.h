#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace cloison::bench {

using SteadyClock = std::chrono::steady_clock;

inline double seconds_since(SteadyClock::time_point began) {
    return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

/// Processor time of this process so far, in seconds.
inline double processor_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// What a number of callers did together in a stretch of time.
struct Figures {
    double per_second = 0;
    double p50_ms = 0;
    double p99_ms = 0;
    double cpu_us = 0;  ///< Of callers and servers together, each time.
};

/// Runs `work(caller)` again and again on `callers` threads for `seconds`.
inline Figures run_callers(int callers, double seconds, const std::function<void(int)>& work) {
    std::atomic<bool> stop{false};
    std::vector<std::vector<double>> latencies(static_cast<std::size_t>(callers));
    std::vector<std::thread> threads;
    const auto began = SteadyClock::now();
    const double processor_began = processor_seconds();
    for (int caller = 0; caller < callers; ++caller) {
        threads.emplace_back([&, caller] {
            auto& mine = latencies[static_cast<std::size_t>(caller)];
            while (!stop) {
                const auto start = SteadyClock::now();
                work(caller);
                mine.push_back(seconds_since(start) * 1000);
            }
        });
    }
    std::this_thread::sleep_until(began + std::chrono::duration<double>(seconds));
    stop = true;
    for (auto& thread : threads) thread.join();
    const double took = seconds_since(began);
    const double processor = processor_seconds() - processor_began;
    std::vector<double> all;
    for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    if (all.empty()) return {};
    return {static_cast<double>(all.size()) / took, all[all.size() / 2], all[all.size() * 99 / 100],
            processor * 1e6 / static_cast<double>(all.size())};
}

inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Measures A and B in turn, `rounds` times, and prints A, B and the median of A/B of each round,
/// so that a machine that is slow for a while is slow for both.
inline void compare(const std::string& what, const std::string& reference, int rounds,
                    const std::function<Figures()>& a, const std::function<Figures()>& b) {
    std::vector<double> rate_a;
    std::vector<double> rate_b;
    std::vector<double> ratios;
    std::vector<double> p50;
    std::vector<double> p99;
    std::vector<double> cpu_a;
    std::vector<double> cpu_b;
    for (int round = 0; round < rounds; ++round) {
        const Figures mine = a();
        const Figures other = b();
        rate_a.push_back(mine.per_second);
        rate_b.push_back(other.per_second);
        ratios.push_back(mine.per_second / other.per_second);
        p50.push_back(mine.p50_ms);
        p99.push_back(mine.p99_ms);
        cpu_a.push_back(mine.cpu_us);
        cpu_b.push_back(other.cpu_us);
    }
    const auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    const nlohmann::json line = {{"figure", what},
                                 {"per_second", median(rate_a)},
                                 {"p50_ms", median(p50)},
                                 {"p99_ms", median(p99)},
                                 {"reference", reference},
                                 {"reference_per_second", median(rate_b)},
                                 {"ratio", median(ratios)},
                                 {"ratio_min", *low},
                                 {"ratio_max", *high},
                                 {"cpu_us", median(cpu_a)},
                                 {"reference_cpu_us", median(cpu_b)}};
    std::printf("%s\n", line.dump().c_str());
    std::fflush(stdout);
}

/// A benchmark that cannot do its work says so and ends.
template <class T>
T must(Result<T> result, const char* what) {
    if (!result) {
        std::fprintf(stderr, "%s: %s\n", what, result.error().message.c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace cloison::bench

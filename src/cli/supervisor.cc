#include "cli/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace cloison::cli {
namespace {

constexpr const char* kReadyVariable = "CLOISON_READY_FD";
constexpr int kReadyTimeoutMs = 60'000;
constexpr Duration kGrace{10'000};
constexpr Duration kLongestDelay{5'000};
constexpr Duration kSettled{10'000};

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    return set;
}

/// Becomes the service; never returns.
[[noreturn]] void become(const ServiceProcess& service, int ready_fd, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    // Its own process group: Ctrl-C reaches the supervisor alone, which stops services in order.
    setpgid(0, 0);
    const sigset_t set = watched_signals();
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    setenv(kReadyVariable, std::to_string(ready_fd).c_str(), 1);
    std::vector<char*> argv;
    std::string program = "/proc/self/exe";
    std::string shown = "cloison";
    argv.push_back(shown.data());
    std::vector<std::string> arguments = service.arguments;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execv(program.c_str(), argv.data());
    const std::string line = std::string("cannot be started: ") + std::strerror(errno) + "\n";
    [[maybe_unused]] const auto written = write(ready_fd, line.data(), line.size());
    _exit(127);
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return std::string("killed by ") + strsignal(WTERMSIG(status));
    return "exit code " + std::to_string(WEXITSTATUS(status));
}

/// False if there is none.
bool tell_supervisor(const std::string& line) {
    const char* variable = std::getenv(kReadyVariable);
    if (variable == nullptr) return false;
    const int fd = std::atoi(variable);
    [[maybe_unused]] const auto written = write(fd, line.data(), line.size());
    close(fd);
    unsetenv(kReadyVariable);
    return true;
}

}  // namespace

void report_ready() {
    tell_supervisor("ready\n");
}
bool report_failure(const Error& error) {
    return tell_supervisor(error.message + "\n");
}

void block_stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void wait_for_stop() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    int received = 0;
    while (sigwait(&set, &received) != 0) {
    }
}

Supervisor::Supervisor(std::vector<ServiceProcess> services, Path state_file, FileSystem& files,
                       Clock& clock)
    : services_(std::move(services)),
      running_(services_.size()),
      state_file_(std::move(state_file)),
      files_(files),
      clock_(clock) {
    const sigset_t set = watched_signals();
    sigprocmask(SIG_BLOCK, &set, nullptr);
}

Status Supervisor::start_all() {
    write_state();
    for (std::size_t i = 0; i < services_.size(); ++i) {
        if (auto status = start(i); !status) {
            stop_all();
            return status;
        }
        write_state();
    }
    return {};
}

Status Supervisor::start(std::size_t which) {
    std::array<int, 2> pipe_fds{};
    if (pipe2(pipe_fds.data(), 0) != 0)
        return fail(ErrorCode::kIo, std::string("A pipe cannot be made: ") + std::strerror(errno));
    fcntl(pipe_fds[0], F_SETFD, FD_CLOEXEC);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) {
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        return fail(ErrorCode::kIo, std::string("fork failed: ") + std::strerror(errno));
    }
    if (pid == 0) become(services_[which], pipe_fds[1], parent);
    close(pipe_fds[1]);
    running_[which].pid = pid;
    running_[which].started = clock_.now();
    auto ready = await_ready(which, pipe_fds[0]);
    close(pipe_fds[0]);
    return ready;
}

Status Supervisor::await_ready(std::size_t which, int ready_fd) {
    const std::string& name = services_[which].name;
    std::string line;
    const Time deadline = clock_.now() + Duration(kReadyTimeoutMs);
    while (line.find('\n') == std::string::npos) {
        const auto left = std::max<std::int64_t>(0, (deadline - clock_.now()).count());
        pollfd poll_fd{ready_fd, POLLIN, 0};
        const int polled = poll(&poll_fd, 1, static_cast<int>(left));
        if (polled < 0 && errno == EINTR) continue;
        if (polled <= 0) return fail(ErrorCode::kDeadline, name + ": not ready after a minute.");
        std::array<char, 512> buffer{};
        const ssize_t got = read(ready_fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        line.append(buffer.data(), static_cast<std::size_t>(got));
    }
    if (line == "ready\n") return {};
    while (!line.empty() && line.back() == '\n') line.pop_back();
    if (line.empty()) line = "ended before it was ready.";
    return fail(ErrorCode::kUnavailable, name + ": " + line);
}

Status Supervisor::watch() {
    const sigset_t set = watched_signals();
    for (;;) {
        timespec wait{0, 100'000'000};
        const int received = sigtimedwait(&set, nullptr, &wait);
        if (received == SIGINT || received == SIGTERM) break;
        reap();
        restart_due();
    }
    stop_all();
    return {};
}

void Supervisor::reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (std::size_t i = 0; i < running_.size(); ++i) {
            Running& service = running_[i];
            if (service.pid != pid) continue;
            const Time now = clock_.now();
            if (now - service.started >= kSettled) service.delay = Duration(100);
            service.pid = 0;
            service.restart_at = now + service.delay;
            service.delay = std::min(service.delay * 2, kLongestDelay);
            log_warning(services_[i].name + " ended (" + how_it_ended(status) +
                        "); starting it again");
            write_state();
        }
    }
}

void Supervisor::restart_due() {
    for (std::size_t i = 0; i < running_.size(); ++i) {
        Running& service = running_[i];
        if (service.pid != 0 || clock_.now() < service.restart_at) continue;
        ++service.restarts;
        if (auto status = start(i); !status) {
            log_error(status.error().message);
            // A child that reported a failure exits by itself; one that hangs is ended here.
            if (service.pid != 0) kill(service.pid, SIGKILL);
        } else {
            log_info(services_[i].name + " runs again");
        }
        write_state();
    }
}

void Supervisor::stop_all() {
    for (std::size_t left = running_.size(); left > 0; --left) {
        Running& service = running_[left - 1];
        if (service.pid == 0) continue;
        kill(service.pid, SIGTERM);
        const Time deadline = clock_.now() + kGrace;
        sigset_t child;
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        while (waitpid(service.pid, nullptr, WNOHANG) == 0) {
            if (clock_.now() >= deadline) {
                log_warning(services_[left - 1].name + " did not stop in ten seconds; killed");
                kill(service.pid, SIGKILL);
                waitpid(service.pid, nullptr, 0);
                break;
            }
            timespec wait{0, 20'000'000};
            sigtimedwait(&child, nullptr, &wait);
        }
        service.pid = 0;
    }
    [[maybe_unused]] const auto removed = files_.remove(state_file_);
}

void Supervisor::write_state() {
    nlohmann::json state;
    state["pid"] = getpid();
    for (std::size_t i = 0; i < services_.size(); ++i) {
        const Running& service = running_[i];
        state["services"].push_back(
            {{"name", services_[i].name},
             {"pid", service.pid},
             {"started", service.started == Time() ? "" : format_rfc3339(service.started)},
             {"restarts", service.restarts}});
    }
    const std::string text = state.dump(2) + "\n";
    if (auto status = files_.write_file_atomically(state_file_, as_bytes(text), 0600); !status)
        log_warning(status.error().message);
}

}  // namespace cloison::cli

#include "cli/backup_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "base/random.h"
#include "base/temporary_directory.h"
#include "cli/caller_key.h"
#include "cli/counted.h"
#include "cli/keeper_command.h"
#include "cli/key_option.h"
#include "cli/service_wiring.h"
#include "crypto/keys.h"
#include "journal/note.h"
#include "keeper/backup.h"
#include "keeper/client/keeper_client.h"
#include "keeper/keeper.h"

namespace cloison::cli {
namespace {

using Number = unsigned long long;

struct BackupChoice {
    std::string out;
    std::string to;
    std::string recipient;
    std::string key;
    std::string verify_key;
    keeper::RestoreOptions restore;
    bool without_newer_journal = false;
};

/// How far it is, drawn over itself on a terminal and nowhere else.
class ProgressLine {
  public:
    ~ProgressLine() {
        if (shown_) std::fputs("\r\033[K", stderr);
    }
    void show(const std::string& what, std::uint64_t done, std::uint64_t all) {
        if (!terminal_) return;
        shown_ = true;
        std::fprintf(stderr, "\r\033[K%s: %llu of %llu", what.c_str(), Number(done), Number(all));
    }

  private:
    const bool terminal_ = isatty(STDERR_FILENO) == 1;
    bool shown_ = false;
};

Path absolute(const std::string& path) {
    return std::filesystem::absolute(path).lexically_normal();
}

/// A trailing slash leaves an empty last part.
Path directory(const std::string& path) {
    const Path full = absolute(path);
    return full.has_filename() ? full : full.parent_path();
}

Status keygen(const BackupChoice& choice) {
    crypto::initialize();
    CLOISON_TRY(const auto key, keeper::create_recovery_key(local_file_system(),
                                                            absolute(choice.out), system_random()));
    std::printf("%s\n", keeper::recipient_text(key).c_str());
    std::fprintf(stderr,
                 "The recovery key is in %s: move it off this host, and keep a copy in a second "
                 "place. The line above is its public half, for \"cloison backup create "
                 "--recipient\".\n",
                 choice.out.c_str());
    return {};
}

/// Entries of a keeper that answers; nothing if its lock is free.
Result<std::optional<std::uint64_t>> durable_entries(const Layout& layout) {
    FileSystem& files = local_file_system();
    const auto lock = files.lock_file(keeper::journal_directory(layout.service("keeper")) / "lock");
    if (lock) return std::optional<std::uint64_t>();
    if (lock.error().code != ErrorCode::kConflict) return fail(lock.error());
    CLOISON_TRY(const auto wiring, Wiring::load(layout, "operator"));
    CLOISON_TRY(const auto described, wiring.client<keeper::KeeperClient>("keeper").describe({}));
    return std::optional<std::uint64_t>(described.entries());
}

Status create(const Layout& layout, const BackupChoice& choice) {
    crypto::initialize();
    FileSystem& files = local_file_system();
    CLOISON_TRY(const auto recipient, keeper::parse_recipient(choice.recipient));
    CLOISON_TRY(const auto configuration, Configuration::load(files, layout.configuration()));
    CLOISON_TRY_STATUS(require_first_run(layout, files));
    const Path to = directory(choice.to);
    CLOISON_TRY(const bool existed, files.exists(to));
    const keeper::BackupSource source{
        layout.service("keeper"),        layout.trust(),
        layout.configuration(),          configuration.journal_origin,
        configuration.root_key_source(), [&] { return durable_entries(layout); }};
    Result<keeper::Backup> made = fail(ErrorCode::kInternal, "");
    {
        ProgressLine line;
        made = keeper::create_backup(source, to, recipient, files, system_clock(), system_random(),
                                     [&](const std::string& what, std::uint64_t done,
                                         std::uint64_t all) { line.show(what, done, all); });
    }
    if (!made) {
        // Only if it is empty.
        if (!existed) (void)files.remove(to);
        return fail(made.error());
    }
    std::printf(
        "%s: %s (epoch %u), %s, %llu bytes.\n"
        "%s: the keys for it, without which it does not open.\n"
        "After the next \"cloison keeper rotate\" make another backup: older ones then open for "
        "nobody.\n",
        made->archive.c_str(), counted(made->persons, "person").c_str(), made->epoch,
        counted(made->entries, "journal line").c_str(), Number(made->bytes), made->escrow.c_str());
    return {};
}

Result<keeper::Restored> restore_into(const BackupChoice& choice, const Path& var) {
    crypto::initialize();
    FileSystem& files = local_file_system();
    CLOISON_TRY(const auto recovery, keeper::load_recovery_key(files, absolute(choice.key)));
    keeper::RestoreOptions options = choice.restore;
    if (!choice.verify_key.empty()) {
        CLOISON_TRY(const auto verifier,
                    read_key<journal::NoteVerifier>(files, "--verify-key", choice.verify_key));
        options.verify_key = journal::note_vkey(verifier.name, verifier.key);
    }
    ProgressLine line;
    return keeper::restore_backup(options, var, recovery, files, system_clock(), system_random(),
                                  [&](const std::string& what, std::uint64_t done,
                                      std::uint64_t all) { line.show(what, done, all); });
}

void print(const char* what, const keeper::Restored& restored) {
    std::printf("%s: %s, every key opened; %s, every one checked.\n", what,
                counted(restored.persons, "person").c_str(),
                counted(restored.entries, "journal line").c_str());
    if (restored.erased_again > 0)
        std::printf("Erased again, as the journal says: %s.\n",
                    counted(restored.erased_again, "person").c_str());
    if (restored.lost > 0)
        std::printf(
            "Lost: %s, whose epoch key was destroyed by a rotation after the backup; nobody can "
            "open "
            "what was sealed for them.\n",
            counted(restored.lost, "person").c_str());
}

/// A backup says of itself whose it is.
void print_key_to_compare(const BackupChoice& choice, const keeper::Restored& restored) {
    if (!choice.verify_key.empty()) return;
    std::printf(
        "Its journal's verify key is %s: compare it with what your witnesses have, or name that "
        "with --verify-key. Whoever can replace archive and keys brings a key of their own.\n",
        restored.verify_key.c_str());
}

/// Who restores says what is to become of those who were erased after the backup.
Status require_word_on_erasures(const BackupChoice& choice) {
    const bool journal = !choice.restore.journal.empty();
    if (journal != choice.without_newer_journal) return {};
    return fail(ErrorCode::kInvalidArgument,
                journal ? "--without-newer-journal and --journal exclude each other."
                        : "Name with --journal a copy of the keeper's journal that is newer than "
                          "the backup: who was erased since is erased again. If there is none, "
                          "say --without-newer-journal: then these persons come back.");
}

/// "3 days", in the largest unit that there are two of.
std::string in_words(Duration age) {
    const auto minutes =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, age.count() / 60'000));
    if (minutes < 120) return counted(minutes, "minute");
    if (minutes < 48 * 60) return counted(minutes / 60, "hour");
    return counted(minutes / (24 * 60), "day");
}

void print_who_is_back(const keeper::Restored& restored, const Clock& clock) {
    std::printf(
        "The backup is %s old, of %s: persons who were erased since then are back, as no newer "
        "journal says otherwise.\n",
        in_words(clock.now() - restored.backup_time).c_str(),
        format_rfc3339(restored.backup_time).c_str());
}

Status restore(const Layout& layout, const BackupChoice& choice) {
    CLOISON_TRY_STATUS(require_word_on_erasures(choice));
    CLOISON_TRY_STATUS(layout.check());
    CLOISON_TRY(const auto restored, restore_into(choice, layout.var()));
    print("Restored", restored);
    print_key_to_compare(choice, restored);
    if (choice.without_newer_journal) print_who_is_back(restored, system_clock());
    // No backup holds it, and a keeper without it can neither be asked nor rotated.
    const auto made = make_caller_key(layout, kOperator, local_file_system(), system_random());
    if (!made)
        return fail(made.error().code,
                    "All is restored but the operator's key: " + made.error().message +
                        " Mend that, then run \"cloison keeper operator-key\".");
    std::printf(
        "It holds the keeper, trust and settings, and a new key of the operator's; the other "
        "services' directories come from their own backups.\n");
    return {};
}

Status verify(const BackupChoice& choice) {
    const TemporaryDirectory scratch;
    CLOISON_TRY(const auto restored, restore_into(choice, scratch.path() / "var"));
    print("The backup is whole", restored);
    print_key_to_compare(choice, restored);
    return {};
}

/// What restore and verify share.
void add_source_options(CLI::App& command, BackupChoice& choice) {
    const auto path_option = [&](const char* name, Path& target, const char* help) {
        return command.add_option_function<std::string>(
            name, [&target](const std::string& value) { target = absolute(value); }, help);
    };
    path_option("--from", choice.restore.archive, "Archive: keeper-….backup")->required();
    path_option("--escrow", choice.restore.escrow, "Its keys: keys.escrow")->required();
    command.add_option("--key", choice.key, "Recovery key, as keygen wrote it")->required();
    command.add_option_function<std::string>(
        "--journal",
        [&choice](const std::string& value) { choice.restore.journal = directory(value); },
        "A newer copy of the keeper's journal directory, whose erasures are applied");
    command.add_option("--verify-key", choice.verify_key,
                       "Verify key of the journal it must be of, or a file that holds it");
    command.add_flag("--accept-lost", choice.restore.accept_lost,
                     "Give up persons whose epoch key was destroyed since");
}

}  // namespace

void add_backup_command(CLI::App& command, std::function<Layout()> layout,
                        std::function<Status()>& chosen) {
    command.require_subcommand(1);
    auto choice = std::make_shared<BackupChoice>();

    auto* keygen_command = command.add_subcommand(
        "keygen", "Makes a recovery key and prints its public half; keep the key elsewhere");
    keygen_command->add_option("--out", choice->out, "File of the recovery key")->required();
    keygen_command->callback([choice, &chosen] { chosen = [choice] { return keygen(*choice); }; });

    auto* create_command =
        command.add_subcommand("create", "Makes a backup of the keeper, also while it runs");
    create_command->add_option("--to", choice->to, "Directory for archive and keys.escrow")
        ->required();
    create_command->add_option("--recipient", choice->recipient, "What keygen printed")->required();
    create_command->fallthrough();
    create_command->callback([choice, layout, &chosen] {
        chosen = [choice, layout] { return create(layout(), *choice); };
    });

    auto* restore_command = command.add_subcommand(
        "restore", "Makes --var, a new directory, what was backed up, and checks all of it");
    add_source_options(*restore_command, *choice);
    restore_command->add_flag("--without-newer-journal", choice->without_newer_journal,
                              "Without --journal: who was erased after the backup comes back");
    restore_command->fallthrough();
    restore_command->callback([choice, layout = std::move(layout), &chosen] {
        chosen = [choice, layout] { return restore(layout(), *choice); };
    });

    auto* verify_command =
        command.add_subcommand("verify", "Restores into a temporary directory and removes it");
    add_source_options(*verify_command, *choice);
    verify_command->callback([choice, &chosen] { chosen = [choice] { return verify(*choice); }; });
}

}  // namespace cloison::cli

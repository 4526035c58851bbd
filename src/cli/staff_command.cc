#include "cli/staff_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/random.h"
#include "casework/request_type.h"
#include "cli/service_wiring.h"
#include "identity/identity_client.h"
#include "identity/limits.h"
#include "identity/validate.h"
#include "keeper/client/keeper_client.h"

namespace cloison::cli {
namespace {

struct NewStaff {
    std::string role;
    std::string email;
    std::string name;
    std::string unit;
    std::string language = "fr";
    bool acts_for_anyone = false;
};

/// 100 random bits in groups that can be read out over the phone.
std::string initial_password() {
    static constexpr std::string_view kAlphabet = "abcdefghjkmnpqrstuvwxyz23456789";
    std::string out;
    for (int i = 0; i < 20; ++i) {
        if (i > 0 && i % 5 == 0) out += '-';
        out += kAlphabet[system_random().uniform(kAlphabet.size())];
    }
    return out;
}

/// As the pages take an address.
Result<std::string> read_address(const std::string& typed) {
    casework::InputField field;
    field.name = "email";
    field.kind = casework::InputKind::kEmail;
    field.max_length = 254;
    const auto address = casework::read_input(field, {{"email", typed}}, system_clock().now());
    if (!address || address->empty())
        return fail(
            ErrorCode::kInvalidArgument,
            "--email takes an address such as name@example.org, of at most 254 characters.");
    return *address;
}

/// What the program can say in the words of its own options.
Status check(const NewStaff& staff) {
    CLOISON_TRY_STATUS(identity::check_text("--name", staff.name, 1, identity::kMaxStaffText));
    CLOISON_TRY_STATUS(identity::check_text("--unit", staff.unit, 1, identity::kMaxStaffText));
    if (staff.acts_for_anyone && staff.role != "professional")
        return fail(ErrorCode::kInvalidArgument,
                    "--acts-for-anyone goes with --role professional.");
    return {};
}

Status add_staff(const Layout& layout, const NewStaff& staff) {
    CLOISON_TRY_STATUS(check(staff));
    CLOISON_TRY(const auto address, read_address(staff.email));
    CLOISON_TRY(auto wiring, Wiring::load(layout, "operator"));
    const auto keeper = wiring.client<keeper::KeeperClient>("keeper");
    const auto identity = wiring.client<identity::IdentityClient>("identity");

    keeper::v1::BlindIndexRequest index_request;
    index_request.set_field("email");
    index_request.set_value(address);
    CLOISON_TRY(auto index, keeper.blind_index(index_request));

    const std::string password = initial_password();
    identity::v1::CreateStaffRequest request;
    request.set_role(staff.role);
    request.set_email_index(index.index());
    request.set_display_name(staff.name);
    request.set_unit(staff.unit);
    request.set_password(password);
    request.set_acts_for_anyone(staff.acts_for_anyone);
    request.set_language(staff.language);
    CLOISON_TRY_STATUS(identity.create_staff(request));
    std::printf(
        "The account is made. Initial password, shown this once: %s\n"
        "The first sign-in at the %s sets up the one-time code.\n",
        password.c_str(), staff.role == "professional" ? "portal" : "desk");
    return {};
}

}  // namespace

void add_staff_command(CLI::App& command, std::function<Layout()> layout,
                       std::function<Status()>& chosen) {
    command.require_subcommand(1);
    auto* add = command.add_subcommand("add", "Makes an account; the services must be running");
    auto staff = std::make_shared<NewStaff>();
    add->add_option("--role", staff->role, "officer, support, dpo, administrator or professional")
        ->required()
        ->check(CLI::IsMember({"officer", "support", "dpo", "administrator", "professional"}));
    add->add_option("--email", staff->email, "Address to sign in with")->required();
    add->add_option("--name", staff->name, "Name shown to other staff")->required();
    add->add_option("--unit", staff->unit, "Office or company, shown to residents")->required();
    add->add_option("--language", staff->language, "fr or en")
        ->check(CLI::IsMember({"fr", "en"}))
        ->capture_default_str();
    add->add_flag("--acts-for-anyone", staff->acts_for_anyone,
                  "A professional who may act for any resident");
    add->fallthrough();
    add->callback([staff, layout = std::move(layout), &chosen] {
        chosen = [staff, layout] { return add_staff(layout(), *staff); };
    });
}

}  // namespace cloison::cli

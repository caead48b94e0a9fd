//! The list of misdeeds, shared by the guest and its tests.
//!
//! The guest has a function of each name, except for those that are done by the form of a component
//! and not by its code; the tests have one for every name. A name without either does not compile,
//! and neither does a function without a name.

/// Calls a macro with the names of all misdeeds.
macro_rules! for_each_misdeed {
    ($then:ident) => {
        $then! {
            // In phase one, in `plan`.
            planning {
                spins_forever,
                grows_its_memory,
                recurses,
                executes_unreachable,
                panics,
                returns_a_string_of_40_mib,
                returns_one_mebibyte_a_hundred_times,
                returns_a_hundred_thousand_entries,
                returns_invalid_utf8,
                calls_log,
                calls_random,
                calls_steps,
                calls_parts,
                calls_net,
                calls_http,
                calls_sasl,
                calls_sign,
                plans_nothing,
                plans_too_much,
                plans_an_endpoint_outside_its_rules,
                plans_a_port_outside_its_rules,
                plans_a_kind_that_its_manifest_lacks,
                plans_an_operation_that_its_manifest_lacks,
                plans_a_kind_of_a_later_contract,
                names_a_secret_that_it_was_not_given,
                names_a_secret_twice,
                names_two_secrets_alike,
                names_a_tls_profile_that_it_does_not_plan,
                names_a_certificate_that_it_does_not_plan,
                composes_too_long_a_secret,
                plans_two_object_stores,
                plans_a_path_that_climbs_out,
                plans_an_endpoint_with_a_userinfo,
                refuses_with_terminal_escapes,
                refuses_at_great_length,
                plans_terminal_escapes,
            }
            // In phase one, in `redact`.
            redacting {
                spins_while_redacting,
                crashes_while_redacting,
                drops_a_secret,
                swaps_two_secrets,
                adds_a_secret,
                repeats_a_secret,
                hides_a_secret_in_the_path,
                shows_text_in_the_place_of_a_secret,
                redacts_differently_the_second_time,
                redacts_to_terminal_escapes,
                redacts_to_another_scheme,
                redacts_to_too_many_options,
            }
            // In phase two, in `probe`.
            probing {
                spins_in_a_probe,
                waits_honestly,
                grows_its_memory_in_a_probe,
                recurses_in_a_probe,
                crashes_in_a_probe,
                floods_the_log,
                logs_a_line_of_40_mib,
                logs_terminal_escapes,
                tells_invalid_utf8,
                calls_the_host_without_end,
                asks_for_too_much_random,
                asks_for_too_much_random_in_all,
                reads_without_end,
                writes_too_large_a_marker,
                lists_without_bound,
                lists_without_end,
                calls_parts_without_a_grant,
                calls_net_without_a_grant,
                calls_http_without_a_grant,
                calls_sasl_without_a_grant,
                calls_sign_without_a_grant,
                forges_a_writer,
                uses_a_reader_as_a_writer,
                uses_a_handle_that_is_used_up,
                begins_a_step_within_a_step,
                ends_a_step_that_was_not_begun,
                tells_65_steps,
                tells_too_many_details,
                leaves_a_step_open,
                tells_no_step,
                names_a_step_with_terminal_escapes,
                tells_terminal_escapes,
                tells_an_outcome_of_a_later_contract,
            }
            // On connections, in phase two: `net` and `parts`.
            dialling {
                dials_an_endpoint_that_is_not_planned,
                dials_what_the_policy_denies,
                dials_a_further_host,
                holds_65_connections,
                dials_without_end,
                crashes_with_open_connections,
                waits_with_open_connections,
                reads_after_it_closed,
                writes_after_it_closed,
                uses_a_connection_that_it_dropped,
                reads_no_bytes,
                reads_from_a_silent_server,
                goes_on_after_a_failure,
                waits_for_a_silent_server,
                waits_for_65_connections,
                looks_without_end,
                reads_a_flood,
                writes_65_parts,
                writes_more_than_16_mib,
                starts_tls_twice,
                starts_tls_with_another_profile,
                starts_tls_over_waiting_bytes,
                offers_nine_protocols,
                writes_a_secret_before_tls,
                writes_a_secret_twice,
                tells_an_echoed_secret,
                asks_for_a_secret_that_is_not_planned,
                makes_opaque_handles_without_end,
                encodes_without_end,
                encodes_as_a_later_contract_does,
                adds_to_a_failure_of_the_host,
            }
            // With `reveal`, in phase one: each in every form of [`for_each_form`].
            leaking {
                leaks_into_a_message,
                leaks_into_a_hint,
                leaks_into_an_option_name,
                leaks_into_a_fact,
                leaks_into_a_class,
                leaks_into_a_warning,
                leaks_into_an_implicit_access,
                leaks_into_a_setting,
                leaks_into_an_endpoint,
                leaks_into_a_prefix,
                leaks_into_the_name_of_a_secret,
                leaks_into_a_redacted_path,
                leaks_into_a_redacted_option,
                leaks_into_a_redacted_user,
            }
            // With `reveal`, in phase two: each in every form.
            telling {
                tells_in_a_message,
                tells_in_a_hint,
                tells_in_a_detail,
                tells_in_the_name_of_a_detail,
                tells_why_it_skipped,
                tells_in_a_log_line,
                tells_in_the_name_of_a_step,
            }
            // By what the component is, before any of its code runs.
            building {
                grows_several_memories,
                has_several_memories_in_one_module,
                grows_tables,
                spins_at_its_start,
                crashes_at_its_start,
                has_too_many_modules,
                returns_a_list_beyond_its_memory,
                returns_an_unknown_case,
                returns_misaligned_memory,
                allocates_beyond_its_memory,
                spins_in_its_allocator,
                spins_after_it_answered,
                makes_handles,
                imports_wasi,
                imports_a_later_contract,
                imports_a_function_that_the_contract_lacks,
                lacks_planning,
                lacks_the_interface_of_its_kind,
                exports_another_type,
                speaks_another_contract,
                has_no_manifest,
                has_two_manifests,
                hides_its_manifest_in_a_module,
                hides_a_second_manifest_in_a_module,
                has_a_manifest_that_is_not_utf8,
                has_too_large_a_manifest,
                is_too_large,
                has_too_many_functions,
                takes_too_long_to_compile,
                is_a_core_module,
                is_empty,
                is_no_wasm,
                is_cut_short,
                has_flipped_bits,
                has_another_digest,
                declares_a_password_public,
                reveals_without_being_asked,
                claims_external,
            }
            // In its manifest, when an administrator adds it to a host.
            claiming {
                claims_a_scheme_of_another_provider,
                claims_the_name_of_another_provider,
            }
        }
    };
}

/// Calls a macro with the forms in which a secret is told.
macro_rules! for_each_form {
    ($then:ident) => {
        $then! {
            plain,
            percent,
            percent_of_every_byte,
            json,
            json_of_every_character,
            hex,
            hex_in_capitals,
            base64,
            base64_after_one_byte,
            base64_after_two_bytes,
            base64url,
            base64url_after_one_byte,
            base64url_after_two_bytes,
        }
    };
}

pub(crate) use {for_each_form, for_each_misdeed};

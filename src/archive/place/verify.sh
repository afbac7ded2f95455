#!/bin/bash -p
# Kiểm tra một tệp của kho lưu trữ theo biên nhận: không cần mạng, không cần kho.
# Checks one file of an archive by its receipt, without network and without the archive.
#
#   verify.sh receipt RECEIPT FILE KEYFILE [--description DESCRIPTION.json] [--witnesses POLICYFILE]
#                     [--timestamp TOKEN.tsr --authorities ROOTS.pem]
#
# KEYFILE is the archive's keys/archive.keys. Get it from elsewhere than the receipt: whoever hands over
# both could have made both. What is checked, in this order, and what the files look like: FORMAT.md.
#
# Exit code: 0 holds, 1 evidence of tampering, 2 incomplete, 3 usage, or the answer could not be given.
# Needs bash, openssl 3, sha256sum, xxd, jq, and what every system has (base64 cat cmp grep head mktemp rm tail tr wc).
#
# There is no `set -e`: it would decide by itself which failure matters. Here every step that fails says
# what that means, and one line alone, the last one, ends with 0. Nothing that was read is ever run,
# expanded or computed with before its form has been checked. `end` leaves the program, so no step that
# may call it stands in a pipeline or in $( ): such a step leaves its result in a variable.

# `check && check || end`: end is meant for either failure. Files that a pipeline reads twice are only read.
# What a trap calls is reached.
# shellcheck disable=SC2015,SC2094,SC2317
set -uf
export LC_ALL=C # one byte is one character, and ranges are ranges of bytes
unset CDPATH GREP_OPTIONS
export HOME=/nonexistent # jq would read ~/.jq

work='' answered=''
# Bash itself may end with 1, which says tampering: a verdict is only what was answered.
leave() {
  [[ -n $work ]] && rm -rf -- "$work"
  [[ -n $answered ]] || exit 3
}
trap leave EXIT
end() { # code, Vietnamese, English
  trap '' PIPE
  printf '%s\n%s\n' "$2" "$3" || exit 3
  answered=yes
  exit "$1"
}
tampered() {
  end 1 "KHÔNG ĐÚNG: $1. Không sử dụng tệp; giữ nguyên hiện trạng và hỏi kho lưu trữ." \
    "DOES NOT HOLD: $2. Do not rely on the file; keep everything as it is and ask the archive."
}
incomplete() { end 2 "CHƯA ĐỦ: $1." "INCOMPLETE: $2."; }
usage() { end 3 "KHÔNG KIỂM TRA ĐƯỢC: $1." "CANNOT BE CHECKED: $2."; }

# --- forms ---------------------------------------------------------------------------------------------

hex64='[0-9a-f]{64}'
uuid='[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
moment='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z'
# The white space of Unicode beyond ASCII, as UTF-8.
space=$'\xc2\x85|\xc2\xa0|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80'
dash=$'\xe2\x80\x94 '

# Decimal digits without leading zeros, at most 18: more than that this shell could not count.
is_number() { [[ $1 =~ ^(0|[1-9][0-9]{0,17})$ ]]; }
is_name() { [[ -n $1 && $1 != *[\ +]* && ! $1 =~ $space ]]; }
# Base64 that encodes to itself again: padded, and the bits that nobody reads are zero.
is_base64() {
  local body=${1%=}
  body=${body%=}
  [[ -n $body && $((${#1} % 4)) == 0 && $body != *[!A-Za-z0-9+/]* ]] || return 1
  case $((${#1} - ${#body})) in
    0) return 0 ;;
    1) [[ $body == *[AEIMQUYcgkosw048] ]] ;;
    2) [[ $body == *[AQgw] ]] ;;
    *) return 1 ;;
  esac
}
# A moment of the form above: a second of the years 1 to 9998 that the calendar has.
is_moment() {
  local year=$((10#${1:0:4})) month=$((10#${1:5:2})) day=$((10#${1:8:2})) days=31
  case $month in
    4 | 6 | 9 | 11) days=30 ;;
    2) days=$((28 + (year % 4 == 0 && year % 100 != 0 || year % 400 == 0))) ;;
  esac
  ((1 <= year && year <= 9998 && 1 <= month && month <= 12 && 1 <= day && day <= days)) &&
    ((10#${1:11:2} < 24 && 10#${1:14:2} < 60 && 10#${1:17:2} < 60))
}
is_hash() { [[ ${#1} == 44 && $1 == *[!=]= ]] && is_base64 "$1"; }
# A text is UTF-8 without control characters but the line feed. jq puts U+FFFD where it is not UTF-8.
is_text() {
  [[ $(tr -cd '\000-\011\013-\037' < "$1" | wc -c | tr -d ' ') == 0 ]] || return 1
  jq -Rjs . < "$1" 2> /dev/null | cmp -s - "$1"
}
# Points of small order: as a key they would check almost any signature.
is_weak() {
  local zeros=00000000000000000000000000000000000000000000000000000000000000
  local ones=ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
  case $1 in
    "00$zeros" | "01$zeros" | "00${zeros%00}80" | "01${zeros%00}80") return 0 ;;
    e[cde]"$ones"7f | e[cde]"$ones"ff) return 0 ;;
    26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc[08]5) return 0 ;;
    c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03[7f]a) return 0 ;;
    *) return 1 ;;
  esac
}

# --- tools ---------------------------------------------------------------------------------------------

sha256() { # of standard input, as 64 hexadecimal digits
  local line
  line=$(sha256sum) || return 1
  printf '%s' "${line:0:64}"
}
unhex() { printf '%s' "$1" | xxd -r -p; }
base64_hex() { printf '%s' "$1" | base64 -d 2> /dev/null | xxd -p | tr -d '\n'; }
# Did this public key sign the file's bytes? Key and signature as hexadecimal digits.
signed_by() { # key, signature, path of the text
  [[ ${#2} == 128 ]] || return 1
  is_weak "${2:0:64}" && return 1
  unhex "302a300506032b6570032100$1" > "$work/key.der"
  unhex "$2" > "$work/signature"
  openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$work/key.der" \
    -in "$3" -sigfile "$work/signature" > /dev/null 2>&1
}

check_tools() {
  local tool
  for tool in openssl sha256sum xxd jq base64 cat cmp grep head mktemp rm tail tr wc; do
    command -v "$tool" > /dev/null 2>&1 || incomplete "máy này thiếu chương trình $tool" "this machine lacks $tool"
  done
  work=$(mktemp -d) && [[ -n $work && -d $work ]] ||
    incomplete "không tạo được thư mục tạm" "no temporary folder can be made"
  # A tool that cannot do its part must not look like tampering: RFC 8032, section 7.1, TEST 2.
  unhex 72 > "$work/known"
  local key=3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c
  local signature=92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
  signature+=085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
  signed_by "$key" "$signature" "$work/known" ||
    incomplete "openssl trên máy này không kiểm tra được chữ ký Ed25519" "openssl here cannot check Ed25519"
  [[ $(unhex 72 | sha256) == 454349e422f05297191ead13e21d3db520e5abef52055e4964b82fb213f593a1 ]] ||
    incomplete "sha256sum trên máy này không tính đúng" "sha256sum here does not compute SHA-256"
  printf '%s' '"a\u00e1"' > "$work/known"
  [[ $(jq -j . < "$work/known" 2> /dev/null) == $'a\xc3\xa1' ]] ||
    incomplete "jq trên máy này không dùng được" "jq here does not work"
}

# --- keys ----------------------------------------------------------------------------------------------

# A vkey of this type (two hexadecimal digits); its parts are left in these three.
vkey_name='' vkey_id='' vkey_hex=''
is_vkey() { # text, type
  [[ $1 =~ ^([^\ +]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$ ]] || return 1
  vkey_name=${BASH_REMATCH[1]} vkey_id=${BASH_REMATCH[2]} vkey_hex=${BASH_REMATCH[3]}
  is_name "$vkey_name" && is_base64 "$vkey_hex" || return 1
  vkey_hex=$(base64_hex "$vkey_hex")
  [[ $vkey_hex =~ ^$2$hex64$ ]] || return 1
  vkey_hex=${vkey_hex:2}
  is_weak "$vkey_hex" && return 1
  [[ $({ printf '%s\n' "$vkey_name" && unhex "$2$vkey_hex"; } | sha256) == "$vkey_id"* ]]
}


key_ids=() key_bytes=() key_from=() key_to=()
origin=
bad_keys() {
  usage "không đọc được tệp khóa. Đề nghị kho lưu trữ cấp lại keys/archive.keys" \
    "the key file cannot be read. Ask the archive for keys/archive.keys again"
}
read_keys() {
  local line from to
  (($(wc -c < "$work/keys") <= 262144)) && is_text "$work/keys" || bad_keys
  while IFS= read -r line || [[ -n $line ]]; do
    [[ -z $line || $line == '#'* ]] && continue
    [[ $line =~ ^([^\ ]+)\ ([0-9]+)\ ([0-9]+|-)$ ]] || bad_keys
    from=${BASH_REMATCH[2]} to=${BASH_REMATCH[3]}
    is_vkey "${BASH_REMATCH[1]}" 01 && is_number "$from" || bad_keys
    if [[ $to != - ]]; then
      is_number "$to" && ((from <= to)) || bad_keys
    fi
    [[ -z $origin || $vkey_name == "$origin" ]] || bad_keys
    origin=$vkey_name
    key_ids+=("$vkey_id") key_bytes+=("$vkey_hex") key_from+=("$from") key_to+=("$to")
  done < "$work/keys"
  ((${#key_ids[@]} > 0)) || bad_keys
}

# --- the policy: which witnesses must have cosigned (C2SP tlog-policy) -----------------------------------

bad_policy() {
  usage "không đọc được tệp quy định bên chứng kiến. Xem dạng tệp trong FORMAT.md" \
    "the policy of witnesses cannot be read. Its form is told in FORMAT.md"
}
# Rules in order. A witness has key, signer and id; a group has members (their places, parted by spaces) and a count.
rule_names=() rule_keys=() rule_signers=() rule_ids=() rule_members=() rule_counts=() rule_taken=()
quorum='' # a place, or none
found=''
find_rule() { # its place is left in `found`
  local i
  for i in "${!rule_names[@]}"; do
    if [[ ${rule_names[i]} == "$1" ]]; then
      found=$i
      return
    fi
  done
  bad_policy
}
add_rule() { # name, key, signer, id, members, count
  local name
  [[ $1 != none ]] && ((${#rule_names[@]} < 256)) || bad_policy
  for name in "${rule_names[@]}"; do [[ $name != "$1" ]] || bad_policy; done
  rule_names+=("$1") rule_keys+=("$2") rule_signers+=("$3") rule_ids+=("$4") rule_members+=("$5") rule_counts+=("$6")
  rule_taken+=('')
}
add_group() { # name, count, members
  local name=$1 count=$2 members='' n=0
  shift 2
  while (($# > 0)); do
    find_rule "$1"
    [[ -z ${rule_taken[found]} ]] || bad_policy
    rule_taken[found]=yes
    members+="$found "
    ((n += 1))
    shift
  done
  case $count in
    any) count=1 ;;
    all) count=$n ;;
    *) [[ $count =~ ^[1-9][0-9]{0,2}$ ]] || bad_policy ;;
  esac
  ((n > 0 && count <= n)) || bad_policy
  add_rule "$name" '' '' '' "$members" "$count"
}
read_policy() {
  local line key
  local -a words
  (($(wc -c < "$work/policy") <= 65536)) || bad_policy
  tr -d '\t' < "$work/policy" > "$work/policy.plain"
  is_text "$work/policy.plain" && [[ $(tr -cd '\177' < "$work/policy" | wc -c | tr -d ' ') == 0 ]] || bad_policy
  while IFS= read -r line || [[ -n $line ]]; do
    IFS=$' \t' read -r -a words <<< "$line"
    ((${#words[@]} > 0)) || continue
    case ${words[0]} in
      '#'*) ;;
      witness)
        ((${#words[@]} == 3 || ${#words[@]} == 4)) && is_vkey "${words[2]}" 04 || bad_policy
        for key in "${rule_keys[@]}"; do [[ $key != "$vkey_hex" ]] || bad_policy; done
        add_rule "${words[1]}" "$vkey_hex" "$vkey_name" "$vkey_id" '' ''
        ;;
      group)
        ((${#words[@]} >= 3)) || bad_policy
        add_group "${words[@]:1}"
        ;;
      quorum)
        ((${#words[@]} == 2)) && [[ -z $quorum ]] || bad_policy
        if [[ ${words[1]} == none ]]; then
          quorum=none
        else
          find_rule "${words[1]}"
          quorum=$found
        fi
        ;;
      *) bad_policy ;;
    esac
  done < "$work/policy"
  [[ -n $quorum ]] || bad_policy
}

# Did the witness of a rule cosign (C2SP tlog-cosignature)? Every line that names it must hold.
cosigned=''
check_cosignatures() { # place of the rule
  local i hex time
  cosigned=0
  for i in "${!signers[@]}"; do
    [[ ${signers[i]} == "${rule_signers[$1]}" ]] || continue
    hex=$(base64_hex "${signatures[i]}")
    [[ ${hex:0:8} == "${rule_ids[$1]}" ]] || continue
    hex=${hex:8}
    # A moment above 0 and below 2^63, and 64 bytes of signature.
    if [[ $hex =~ ^[0-7][0-9a-f]{143}$ && ${hex:0:16} != 0000000000000000 ]]; then
      time=$((16#${hex:0:16}))
      { printf 'cosignature/v1\ntime %s\n' "$time" && cat "$work/body"; } > "$work/cosigned"
      signed_by "${rule_keys[$1]}" "${hex:16}" "$work/cosigned" && cosigned=1 && continue
    fi
    tampered "chữ ký của một bên chứng kiến không khớp với nội dung biên nhận" \
      "the signature of a witness does not fit text and key"
  done
}
witnessed=yes
check_witnesses() {
  local i member n
  local -a met members
  for i in "${!rule_names[@]}"; do
    if [[ -n ${rule_keys[i]} ]]; then
      check_cosignatures "$i"
      met+=("$cosigned")
    else
      n=0
      read -r -a members <<< "${rule_members[i]}"
      for member in "${members[@]}"; do ((n += met[member])); done
      met+=("$((n >= rule_counts[i]))")
    fi
  done
  [[ $quorum == none || ${met[quorum]} == 1 ]] || witnessed=''
}

# --- the receipt ---------------------------------------------------------------------------------------

bad_receipt() { tampered "biên nhận bị hỏng hoặc đã bị sửa" "the receipt is not in form"; }
bad_note() { tampered "điểm kiểm tra trong biên nhận bị hỏng hoặc đã bị sửa" "the checkpoint is not in form"; }

index='' size='' root=''
path=() signers=() signatures=()
read_receipt() {
  local -a lines
  local i line name bytes count
  [[ $(head -c 23 < "$work/receipt" | xxd -p -c 64) == "$(printf 'c2sp.org/tlog-proof@v1\n' | xxd -p -c 64)" ]] ||
    usage "tệp thứ nhất không phải là biên nhận. Thứ tự: biên nhận, tệp, tệp khóa" \
      "the first file is no receipt. Give the receipt first, then the file, then the key file"
  (($(wc -c < "$work/receipt") <= 262144)) || bad_receipt
  is_text "$work/receipt" && [[ $(tail -c 1 < "$work/receipt" | xxd -p) == 0a ]] || bad_receipt
  mapfile -t lines < "$work/receipt"
  count=${#lines[@]}
  ((count >= 9)) || bad_receipt

  line=${lines[1]}
  [[ $line == 'extra '* && ${#line} -le 5500 ]] && is_base64 "${line#extra }" || bad_receipt
  printf '%s' "${line#extra }" | base64 -d > "$work/entry" 2> /dev/null
  line=${lines[2]}
  [[ $line == 'index '* ]] && is_number "${line#index }" || bad_receipt
  index=${line#index }
  for ((i = 3; i < count; i++)); do
    [[ -z ${lines[i]} ]] && break
    is_hash "${lines[i]}" && ((i < 3 + 63)) || bad_receipt
    path+=("${lines[i]}")
  done

  # The checkpoint: three lines, an empty one, signatures.
  ((i + 5 < count)) && [[ -z ${lines[i + 4]} ]] || bad_note
  ((count - i - 5 <= 100)) || bad_note
  [[ ${lines[i + 1]} == "$origin" ]] ||
    tampered "biên nhận không phải do kho lưu trữ có khóa này cấp" "the receipt is not by the archive of this key file"
  is_number "${lines[i + 2]}" && is_hash "${lines[i + 3]}" || bad_note
  size=${lines[i + 2]} root=$(base64_hex "${lines[i + 3]}")
  printf '%s\n%s\n%s\n' "${lines[i + 1]}" "${lines[i + 2]}" "${lines[i + 3]}" > "$work/body"
  for ((i += 5; i < count; i++)); do
    line=${lines[i]}
    [[ $line == "$dash"*' '* ]] || bad_note
    line=${line#"$dash"}
    name=${line%% *} bytes=${line#* }
    # Four bytes of key id and at least one of signature.
    is_name "$name" && is_base64 "$bytes" && ((${#bytes} >= 8)) || bad_note
    [[ ${#bytes} == 8 && $bytes == *== ]] && bad_note
    signers+=("$name") signatures+=("$bytes")
  done
}

# At least one key in use at this size signed, and no line that names such a key is wrong.
check_signatures() {
  local i k hex known=0
  for i in "${!signers[@]}"; do
    [[ ${signers[i]} == "$origin" ]] || continue
    hex=$(base64_hex "${signatures[i]}")
    for k in "${!key_ids[@]}"; do
      [[ ${hex:0:8} == "${key_ids[k]}" ]] || continue
      ((key_from[k] <= size)) || continue
      [[ ${key_to[k]} == - ]] || ((size <= key_to[k])) || continue
      signed_by "${key_bytes[k]}" "${hex:8}" "$work/body" ||
        tampered "chữ ký không khớp với nội dung biên nhận" "the signature does not fit text and key"
      ((known += 1))
    done
  done
  ((known > 0)) || tampered "biên nhận không được ký bằng khóa đang dùng nào trong tệp khóa" \
    "the receipt is signed by no key of the key file that is in use at its size"
}

not_included() {
  tampered "sự kiện không nằm trong sổ cái mà kho lưu trữ đã ký" "the entry is not in the tree that the checkpoint signs"
}
node() { unhex "01$1$2" | sha256; }
# RFC 9162, section 2.1.3.2, over RFC 6962 hashes.
check_inclusion() {
  local at=$index last hash sibling line
  ((index < size)) || not_included
  last=$((size - 1))
  hash=$({ printf '\000' && cat "$work/entry"; } | sha256)
  for line in "${path[@]}"; do
    ((last > 0)) || not_included
    sibling=$(base64_hex "$line")
    if ((at & 1 || at == last)); then
      hash=$(node "$sibling" "$hash")
      while (((at & 1) == 0 && at != 0)); do ((at >>= 1, last >>= 1)); done
    else
      hash=$(node "$hash" "$sibling")
    fi
    ((at >>= 1, last >>= 1))
  done
  [[ $last == 0 && $hash =~ ^$hex64$ && $hash == "$root" ]] || not_included
}

# --- the timestamp (RFC 3161) ----------------------------------------------------------------------------

bad_stamp() {
  tampered "dấu thời gian không đúng hoặc không phải của điểm kiểm tra này" "the timestamp does not hold"
}
stamped='' # when an authority saw the checkpoint's text with the archive's own lines: seconds since 1970
check_timestamp() {
  local i line
  (($(wc -c < "$work/token") <= 65536)) || bad_stamp
  { cat "$work/body" && printf '\n'; } > "$work/note"
  for i in "${!signers[@]}"; do
    [[ ${signers[i]} != "$origin" ]] || printf '%s%s %s\n' "$dash" "${signers[i]}" "${signatures[i]}" >> "$work/note"
  done
  openssl ts -reply -in "$work/token" -text > "$work/stated" 2> /dev/null < /dev/null || bad_stamp
  line=$(grep -a -m 1 '^Time stamp: ' < "$work/stated") || bad_stamp
  [[ $line =~ ^'Time stamp: '([A-Z][a-z][a-z]\ +[0-9]+\ [0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?\ ([0-9]{4})\ GMT$ ]] || bad_stamp
  stamped=$(jq -nr --arg at "${BASH_REMATCH[1]} ${BASH_REMATCH[3]}" '$at | strptime("%b %d %H:%M:%S %Y") | mktime' 2> /dev/null)
  [[ $stamped =~ ^[0-9]{1,12}$ ]] || bad_stamp
  openssl ts -verify -in "$work/token" -data "$work/note" -CAfile "$work/authorities" -attime "$stamped" \
    > /dev/null 2>&1 < /dev/null || bad_stamp
}
# An entry is not later than the timestamp of a tree that has it; half a minute is let pass.
check_moment() {
  local at=${entry_at%.*} most
  most=$(jq -nr --argjson at "$((stamped + 30))" '$at | todate' 2> /dev/null) || bad_stamp
  [[ $most =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$ ]] || bad_stamp
  # Both are of one form, so that what sorts later is later.
  if [[ $at == "${most%Z}" && ! $entry_at =~ \.000000Z$ || $at > "${most%Z}" ]]; then
    tampered "dấu thời gian không đúng hoặc không phải của điểm kiểm tra này" "the entry is later than the timestamp"
  fi
}

# --- entry, description, file --------------------------------------------------------------------------

entry_at='' entry_event='' entry_kind='' entry_unit='' entry_description=''
entry_schema='' # what the description is: that of a unit, or the stub or the certificate of a record that ended
# The kinds of units, which are what has descriptions, in Vietnamese.
declare -A kinds=([record]='tài liệu' [fonds]='phông lưu trữ' [file]='hồ sơ' [schedule]='bảng thời hạn lưu trữ'
  [hold]='lệnh tạm dừng hủy' [case]='hồ sơ xét hủy' [plan]='danh mục hồ sơ' [backlog]='dự án chỉnh lý'
  [register]='danh bạ cơ quan')
no_entry() {
  tampered "nội dung nằm trong sổ cái nhưng không phải là sự kiện đúng dạng" "the ledger holds these bytes, but they are no entry"
}
no_file() {
  tampered "sự kiện không phải là sự kiện của một tệp" \
    "the entry is of no event that names a description: this receipt is not for a file"
}
check_entry() {
  local entry group said='' units=0
  [[ $(tr -d '\040-\176' < "$work/entry" | wc -c | tr -d ' ') == 0 ]] && (($(wc -c < "$work/entry") <= 4096)) || no_entry
  entry=$(cat "$work/entry")
  # RFC 8785 sorts the members, so that each event has one form only: these, some of them, in this order.
  local count='(0|[1-9][0-9]{0,9})' form="^\\{\"at\":\"($moment)\""
  form+="(,\"asked_by\":\"$uuid\")?(,\"backlog\":\"($uuid)\")?,\"by\":\"$uuid\"(,\"case\":\"($uuid)\")?"
  form+="(,\"certificate\":\"($hex64)\")?(,\"component\":$count)?(,\"confirmed_by\":\"$uuid\")?"
  form+="(,\"description\":\"($hex64)\")?,\"event\":\"([a-z_]+)\""
  form+="(,\"fault\":\"(altered|missing|unreadable)\")?(,\"file\":\"($uuid)\")?(,\"fonds\":\"($uuid)\")?"
  form+="(,\"hold\":\"($uuid)\")?(,\"named_by\":\"($hex64)\")?(,\"place\":$count)?(,\"plan\":\"($uuid)\")?"
  form+="(,\"record\":\"($uuid)\")?(,\"register\":\"($uuid)\")?"
  form+="(,\"replaces\":\"($hex64)\")?,\"request\":\"$hex64\"(,\"schedule\":\"($uuid)\")?(,\"source\":$count)?"
  form+="(,\"stub\":\"($hex64)\")?,\"v\":1\\}\$"
  [[ $entry =~ $form ]] || no_file
  entry_at=${BASH_REMATCH[1]} entry_event=${BASH_REMATCH[14]}
  # One of these is there.
  entry_description=${BASH_REMATCH[8]}${BASH_REMATCH[13]}${BASH_REMATCH[24]}${BASH_REMATCH[40]}
  for group in backlog:3 case:5 file:17 fonds:19 hold:21 plan:27 record:29 register:31 schedule:35; do
    [[ -n ${BASH_REMATCH[${group#*:}]} ]] || continue
    # The case under which a record is destroyed is not what the entry is about.
    [[ $entry_event:${group%:*} == destruction_ordered:case ]] && said+=' case' && continue
    entry_kind=${group%:*} entry_unit=${BASH_REMATCH[$((${group#*:} + 1))]}
    units=$((units + 1))
  done
  for group in component:10 place:26 source:38; do
    [[ -z ${BASH_REMATCH[${group#*:}]} ]] || ((${BASH_REMATCH[${group#*:}]} < 4294967296)) || no_file
  done
  for group in asked_by:2 certificate:7 component:9 confirmed_by:11 description:12 fault:15 named_by:23 \
    place:25 replaces:33 source:37 stub:39; do
    [[ -z ${BASH_REMATCH[${group#*:}]} ]] || said+=" ${group%:*}"
  done
  case "$units $entry_kind $entry_event$said" in
    '1 record accessioned description') ;;
    '1 record moved description replaces' | '1 record characterized description replaces') ;;
    '1 record opened description') no_file ;;
    '1 '*' opened description') ;;
    '1 fonds closed description replaces' | '1 file closed description replaces') ;;
    '1 fonds reopened description replaces' | '1 file reopened description replaces') ;;
    '1 schedule approved description replaces' | '1 plan approved description replaces') ;;
    '1 backlog approved description replaces') ;;
    '1 hold hold_released description replaces') ;;
    '1 case reviewed description replaces' | '1 case proposed description replaces') ;;
    '1 case decided description replaces') ;;
    '1 record destruction_ordered case stub' | '1 record destruction_ordered asked_by stub') entry_schema=stub.v1 ;;
    '1 record expulsion_ordered confirmed_by stub') entry_schema=stub.v1 ;;
    '1 record destroyed certificate' | '1 record expelled certificate') entry_schema=certificate.v1 ;;
    '1 '*' described description replaces') ;;
    '1 '*' damaged component fault named_by place') ;;
    '1 '*' repaired component named_by place source') ;;
    '1 '*' lost component named_by') ;;
    *) no_file ;;
  esac
  [[ -n $entry_schema ]] || entry_schema=$entry_kind.v1
  is_moment "$entry_at" || no_entry
}

# Is RFC 8785 what jq writes? Yes for what descriptions are made of (names in ASCII, whole numbers, which `form` asks
# for), but for U+007F, which jq 1.6 escapes: it is left out of both sides, and its escape is refused.
is_canonical() {
  [[ $(jq -Rs 'split("\\\\") | any(contains("\\u007f"))' < "$1" 2> /dev/null) == false ]] || return 1
  tr -d '\177' < "$1" > "$work/stated"
  jq -cjS . < "$work/stated" 2> /dev/null | cmp -s - "$work/stated"
}
# What every reader of JSON reads alike, and what evidence hangs on: later versions of the schema add members.
plain='
  def matches(form): type == "string" and test("\\A(" + form + ")\\z");
  def digest: matches("[0-9a-f]{64}");
  def whole: type == "number" and (tostring | matches("[0-9]{1,16}")) and . < 9007199254740992;
  type == "object"
  and all(paths; length <= 32)
  and all(.. | objects | keys_unsorted[]; matches("[a-z0-9_]+"))
  and all(.. | numbers; whole)'
form="$plain"'
  and (.schema | type == "string" and test("\\A(record|fonds|file|schedule|hold|case|plan|backlog|register)\\.v1\\z"))
  and (.[.schema[:-3]] | matches("'"$uuid"'"))
  and (.salt | digest)
  and ((has("replaces") | not) or (.replaces | digest))
  and (has("components") == (.schema == "record.v1")) # only a record has any
  and (.components // [] | type == "array")
  and all(.components // [] | .[]; type == "object"
    and (.ordinal | whole) and .ordinal < 4294967296 and (.sha256 | digest) and (.size | whole))'
# Of what is kept of a record that ended.
kept="$plain"'
  and (.record | matches("'"$uuid"'"))
  and (.salt | digest)
  and (has("replaces") | not)
  and (.schema == "stub.v1" or .schema == "certificate.v1"
    and (.stub | digest) and (.order | type == "object" and (.entry | whole)))'
check_description() {
  local answer form=$form
  [[ $entry_schema == "$entry_kind.v1" ]] || form=$kept
  [[ $(sha256 < "$work/description") == "$entry_description" ]] ||
    tampered "bản mô tả không phải là bản mà sự kiện nêu" "this is not the description that the entry names"
  (($(wc -c < "$work/description") <= 67108864)) && is_canonical "$work/description" &&
    [[ $(jq "$form" < "$work/description" 2> /dev/null) == true ]] ||
    tampered "bản mô tả không đúng dạng chuẩn (RFC 8785)" "the description is not in RFC 8785 form, or not what FORMAT.md says"
  answer=$(jq -r --arg kind "$entry_kind" --arg unit "$entry_unit" --arg schema "$entry_schema" \
    'if .schema == $schema and .[$kind] == $unit then "yes" else "no" end' < "$work/description" 2> /dev/null)
  [[ $answer == yes ]] || tampered "bản mô tả thuộc về tài liệu, hồ sơ hoặc phông khác với sự kiện nêu" \
    "the description is of another record than the entry, or of another file or fonds"
}
check_file() {
  local digest answer
  digest=$(sha256 < "$1")
  [[ $digest =~ ^$hex64$ ]] || usage "không đọc được tệp" "the file cannot be read"
  # Of what has no components, the description itself is the file.
  [[ $digest != "$entry_description" ]] || return 0
  # In a stub they are counted.
  answer=$(jq -r --arg digest "$digest" 'if .schema == "record.v1" and any(.components // [] | .[]; .sha256 == $digest) then "yes" else "no" end' \
    < "$work/description" 2> /dev/null)
  [[ $answer == yes ]] || tampered "tệp không phải là tệp nào được nêu trong bản mô tả" \
    "the file is none of the components that the description lists"
}

# --- the question --------------------------------------------------------------------------------------

how() {
  usage "cách dùng: verify.sh receipt BIÊN_NHẬN TỆP TỆP_KHÓA [--description BẢN_MÔ_TẢ.json] [--witnesses TỆP_QUY_ĐỊNH] [--timestamp DẤU_THỜI_GIAN.tsr --authorities CHỨNG_THƯ.pem]" \
    "usage: verify.sh receipt RECEIPT FILE KEYFILE [--description DESCRIPTION.json] [--witnesses POLICYFILE] [--timestamp TOKEN.tsr --authorities ROOTS.pem]"
}
readable() {
  [[ -f $1 && -r $1 ]] || usage "không đọc được một trong các tệp đã nêu" "one of the files named cannot be read"
}

(($# >= 1)) || how
[[ $1 != archive && $1 != ledger ]] ||
  usage "lệnh $1 chỉ có trong verify.py và vankho verify" "$1 is for verify.py and vankho verify"
[[ $1 == receipt ]] || how
(($# >= 4 && $# <= 12 && $# % 2 == 0)) || how
description='' policy='' token='' authorities=''
for ((option = 5; option < $#; option += 2)); do
  value=$((option + 1))
  case ${!option} in
    --description) [[ -z $description && -n ${!value} ]] && description=${!value} || how ;;
    --witnesses) [[ -z $policy && -n ${!value} ]] && policy=${!value} || how ;;
    --timestamp) [[ -z $token && -n ${!value} ]] && token=${!value} || how ;;
    --authorities) [[ -z $authorities && -n ${!value} ]] && authorities=${!value} || how ;;
    *) how ;;
  esac
done
# A timestamp and those who are believed come together.
[[ -n $token && -n $authorities || -z $token$authorities ]] || how
readable "$2" && readable "$3" && readable "$4"
[[ -z $description ]] || readable "$description"
[[ -z $policy ]] || readable "$policy"
[[ -z $token ]] || { readable "$token" && readable "$authorities"; }
check_tools
head -c 262145 < "$2" > "$work/receipt" && cat < "$4" > "$work/keys" ||
  incomplete "không ghi được vào thư mục tạm" "the temporary folder cannot be written"
read_keys
if [[ -n $policy ]]; then
  head -c 65537 < "$policy" > "$work/policy" || incomplete "không ghi được vào thư mục tạm" "the temporary folder cannot be written"
  read_policy
fi
if [[ -n $token ]]; then
  head -c 65537 < "$token" > "$work/token" && cat < "$authorities" > "$work/authorities" ||
    incomplete "không ghi được vào thư mục tạm" "the temporary folder cannot be written"
  grep -aq -e '-----BEGIN CERTIFICATE-----' < "$work/authorities" ||
    usage "không đọc được tệp chứng thư của tổ chức cấp dấu thời gian (PEM)" \
      "the certificates of timestamping authorities cannot be read: no PEM file of certificates"
fi
read_receipt
check_signatures
check_inclusion
checked_vi='khóa, chữ ký, vị trí trong sổ cái, sự kiện, bản mô tả, tệp'
checked_en='key, signature, inclusion, entry, description, file'
if [[ -n $policy ]]; then
  check_witnesses
  checked_vi+=', bên chứng kiến' checked_en+=', witnesses'
fi
then_vi='' then_en=''
if [[ -n $token ]]; then
  check_timestamp
  checked_vi+=', dấu thời gian' checked_en+=', timestamp'
  moment_stated=$(jq -nr --argjson at "$stamped" '$at | todate')
  then_vi=" Đã có trước $moment_stated theo tổ chức cấp dấu thời gian."
  then_en=" It was there at $moment_stated, as a timestamping authority says."
fi
check_entry
[[ -z $token ]] || check_moment
[[ -n $description ]] || incomplete "biên nhận đúng (mục $index, $entry_at), nhưng phải có bản mô tả mới đối chiếu được tệp" \
  "the receipt holds (entry $index, $entry_at), but only its description ties it to a file: give that too"
cat < "$description" > "$work/description" || incomplete "không ghi được vào thư mục tạm" "the temporary folder cannot be written"
check_description
check_file "$3"
[[ -n $witnessed ]] || incomplete "biên nhận đúng, nhưng chưa đủ bên chứng kiến ký: đề nghị kho cấp lại biên nhận, hoặc hỏi các bên chứng kiến" \
  "the receipt holds, but too few witnesses cosigned it: ask the archive for it again, or find out what the witnesses have seen"
end 0 "ĐÚNG: tệp đúng là tệp của ${kinds[$entry_kind]} $entry_unit, sự kiện $entry_event lúc $entry_at, mục $index trên $size trong sổ cái của $origin. Đã kiểm tra: $checked_vi.$then_vi" \
  "HOLDS: the file is the one in $entry_kind $entry_unit, $entry_event at $entry_at, entry $index of $size in the ledger of $origin. Checked: $checked_en.$then_en"

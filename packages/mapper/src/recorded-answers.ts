/** PayConex's answers as they were recorded in certification by others (with other names and numbers), each kept whole and
 * named after what it shows. Note which members are missing where, that amounts are JSON numbers, and that an error code
 * may be a number or text. Test support only.
 * https://github.com/activemerchant/active_merchant/blob/master/test/unit/gateways/pay_conex_test.rb */

export const saleApproved = {
  transaction_id: '000000012345',
  tender_type: 'CARD',
  transaction_timestamp: '2026-01-05 10:20:30',
  card_brand: 'VISA',
  transaction_type: 'SALE',
  last4: '1111',
  card_expiration: '0827',
  authorization_code: 'CVI123',
  authorization_message: 'APPROVED',
  request_amount: 10,
  transaction_amount: 10,
  first_name: 'Ann',
  last_name: 'Example',
  keyed: true,
  swiped: false,
  transaction_approved: true,
  avs_response: 'Z',
  cvv2_response: 'U',
  transaction_description: 'Pizza',
  custom_id: '5f0c2c1e-8a3b-4d5e-9f10-charge00card',
  balance: 10,
  currency: 'USD',
  error: false,
  error_code: 0,
  error_message: null,
  error_msg: null,
}

export const saleDeclined = {
  transaction_id: '000000012346',
  tender_type: 'CARD',
  transaction_timestamp: '2026-01-05 10:21:30',
  card_brand: 'VISA',
  transaction_type: 'SALE',
  last4: '1111',
  card_expiration: '0827',
  authorization_message: 'CALL AUTH CENTER',
  transaction_amount: 1.01,
  first_name: 'Ann',
  last_name: 'Example',
  keyed: true,
  swiped: false,
  transaction_approved: false,
  transaction_description: 'Pizza',
  reason_code: null,
  gateway_id: null,
  currency: 'USD',
  error: true,
  error_code: 30002,
  error_message: 'DECLINED',
  error_msg: 'DECLINED',
}

export const storeApproved = {
  transaction_id: '000000012347',
  tender_type: 'CARD',
  transaction_timestamp: '2026-01-05 10:22:30',
  card_brand: 'VISA',
  transaction_type: 'STORE',
  last4: '1111',
  card_expiration: '0827',
  request_amount: 0,
  transaction_amount: 0,
  first_name: 'Ann',
  last_name: 'Example',
  keyed: true,
  swiped: false,
  currency: 'USD',
  error: false,
  error_code: 0,
  error_message: null,
  error_msg: null,
}

/** Approved means accepted: what becomes of it at the bank is known days later. */
export const achSaleApproved = {
  transaction_id: '000000012348',
  tender_type: 'ACH',
  transaction_timestamp: '2026-01-05 10:23:30',
  card_brand: 'ACH',
  transaction_type: 'SALE',
  last4: '8535',
  card_expiration: null,
  authorization_code: 'ACH',
  authorization_message: 'PENDING',
  request_amount: 25,
  transaction_amount: 25,
  first_name: 'Ann',
  last_name: 'Example',
  keyed: true,
  swiped: false,
  transaction_approved: true,
  currency: 'USD',
  check_number: '1',
  error: false,
  error_code: 0,
  error_message: null,
  error_msg: null,
}

export const invalidRouting = {
  error: true,
  error_code: 20019,
  error_message: 'Invalid bank_routing_number',
  error_msg: 'Invalid bank_routing_number',
}

/** Its code is text, unlike the others. */
export const cardUnreadable = {
  error: true,
  error_code: '30370',
  error_message: 'CARD DATA UNREADABLE',
  error_msg: 'CARD DATA UNREADABLE',
}

/** It has an id of its own and names the charge it undid; the whole name arrives in first_name. */
export const reversalApproved = {
  original_transaction_id: '000000012345',
  transaction_id: '000000012349',
  tender_type: 'CARD',
  transaction_timestamp: '2026-01-05 10:24:30',
  card_brand: 'VISA',
  transaction_type: 'REVERSAL',
  last4: '1111',
  card_expiration: '0827',
  authorization_code: 'CVI123',
  authorization_message: 'APPROVED',
  request_amount: 10,
  transaction_amount: 10,
  first_name: 'Ann Example',
  keyed: true,
  swiped: false,
  transaction_approved: true,
  transaction_description: 'Pizza',
  currency: 'USD',
  error: false,
  error_code: 0,
  error_message: null,
  error_msg: null,
}

export const alreadyReversed = {
  error: true,
  error_code: 20687,
  error_message: 'TRANSACTION ID ALREADY REVERSED',
  error_msg: 'TRANSACTION ID ALREADY REVERSED',
}

export const invalidToken = {
  error: true,
  error_code: 20006,
  error_message: 'Invalid token_id',
  error_msg: 'Invalid token_id',
}

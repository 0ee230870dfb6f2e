CREATE OR REPLACE VIEW events AS
WITH one_place AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY row_id, day, event
      ORDER BY received_at, captured_file, captured_index
    ) AS copy_number
  FROM events_raw
), moved AS (
  SELECT
    row_id,
    day,
    event
  FROM (
    SELECT
      row_id,
      day,
      event,
      MIN(day) OVER (PARTITION BY row_id) AS least_day,
      MIN(event) OVER (PARTITION BY row_id) AS least_event,
      MAX(day) OVER (PARTITION BY row_id) AS most_day,
      MAX(event) OVER (PARTITION BY row_id) AS most_event,
      ROW_NUMBER() OVER (
        PARTITION BY row_id
        ORDER BY received_at, captured_file, captured_index, day, event
      ) AS copy_number
    FROM events_raw
  ) AS all_places
  WHERE
    copy_number = 1 AND (
      least_day <> most_day OR least_event <> most_event
    )
)
SELECT
  one_place.row_id,
  one_place.message_id,
  one_place.source,
  one_place.type,
  one_place.event,
  one_place.received_event,
  one_place.user_id,
  one_place.anonymous_id,
  one_place.distinct_id,
  one_place.group_id,
  one_place.channel,
  one_place.timestamp,
  one_place.original_timestamp,
  one_place.sent_at,
  one_place.received_at,
  one_place.affiliation,
  one_place.brand,
  one_place.cart_id,
  one_place.category,
  one_place.checkout_id,
  one_place.coupon,
  one_place.coupon_id,
  one_place.coupon_name,
  one_place.creative,
  one_place.currency,
  one_place.discount,
  one_place.filters,
  one_place.image_url,
  one_place.list_id,
  one_place.name,
  one_place.order_id,
  one_place.payment_method,
  one_place.position,
  one_place.price,
  one_place.product_id,
  one_place.products,
  one_place.promotion_id,
  one_place.quantity,
  one_place.query,
  one_place.rating,
  one_place.reason,
  one_place.recipient,
  one_place.revenue,
  one_place.review_body,
  one_place.review_id,
  one_place.share_message,
  one_place.share_via,
  one_place.shipping,
  one_place.shipping_method,
  one_place.sku,
  one_place.sorts,
  one_place.step,
  one_place.subtotal,
  one_place.tax,
  one_place.total,
  one_place.url,
  one_place.value,
  one_place.variant,
  one_place.wishlist_id,
  one_place.wishlist_name,
  one_place.position_text,
  one_place.categories,
  one_place.coupons,
  one_place.experiment_id,
  one_place.experiment_name,
  one_place.variation_id,
  one_place.variation_name,
  one_place.page_name,
  one_place.page_category,
  one_place.line_index,
  one_place.line_count,
  one_place.order_revenue,
  one_place.order_revenue_from,
  one_place.line_revenue,
  one_place.refund_amount,
  one_place.context_page_path,
  one_place.context_page_referrer,
  one_place.context_page_search,
  one_place.context_page_title,
  one_place.context_page_url,
  one_place.context_campaign_source,
  one_place.context_campaign_medium,
  one_place.context_campaign_name,
  one_place.context_campaign_term,
  one_place.context_campaign_content,
  one_place.context_device_id,
  one_place.context_device_type,
  one_place.context_device_name,
  one_place.context_device_manufacturer,
  one_place.context_device_model,
  one_place.context_device_advertising_id,
  one_place.context_device_ad_tracking_enabled,
  one_place.context_os_name,
  one_place.context_os_version,
  one_place.context_app_name,
  one_place.context_app_version,
  one_place.context_app_build,
  one_place.context_app_namespace,
  one_place.context_network_bluetooth,
  one_place.context_network_cellular,
  one_place.context_network_wifi,
  one_place.context_network_carrier,
  one_place.context_location_city,
  one_place.context_location_country,
  one_place.context_location_region,
  one_place.context_location_latitude,
  one_place.context_location_longitude,
  one_place.context_screen_width,
  one_place.context_screen_height,
  one_place.context_screen_density,
  one_place.context_referrer_id,
  one_place.context_referrer_type,
  one_place.context_locale,
  one_place.context_timezone,
  one_place.context_ip,
  one_place.context_user_agent,
  one_place.context_user_agent_data_mobile,
  one_place.context_user_agent_data_platform,
  one_place.context_library_name,
  one_place.context_library_version,
  one_place.properties,
  one_place.context,
  one_place.envelope,
  one_place.flags,
  one_place.violations,
  one_place.proven,
  one_place.mapping,
  one_place.subscription,
  one_place.captured_file,
  one_place.captured_index,
  one_place.day
FROM one_place
LEFT JOIN moved
  ON moved.row_id = one_place.row_id
WHERE
  one_place.copy_number = 1
  AND (
    moved.row_id IS NULL
    OR (
      moved.day = one_place.day AND moved.event = one_place.event
    )
  )

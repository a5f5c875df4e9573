-- What the outbox says left the house by Telegram: posts with their text, and messages, which are worded when they leave.
select destination as chat_id, receipt_json ->> 'message_id' as message_id, payload_json ->> 'text' as text
from public.effects where status = 'confirmed' and channel = 'telegram'
union all
select recipient, message_id, null
from public.notifications where status = 'sent' and channel = 'telegram' and edit_message_id is null

# What a model wrote, and nobody has read.
import asyncio

from host import exchange_rate, find_orders, refund, send_mail, watch_payments

orders = find_orders("ada", limit=2)
print([order["id"] for order in orders])

euro, yen = await asyncio.gather(exchange_rate("EUR"), exchange_rate("JPY"))
print(f"EUR {euro}, JPY {yen}")

print(await refund(order="A-1", amount=20.0))
try:
    await refund(order="A-2", amount=950.0)
except PermissionError as refusal:
    print("refused:", refusal)

try:
    send_mail(to="ada@example.com", text="Your refund is on its way.")
except ConnectionError as failure:
    print("no mail:", failure)

async for payment in watch_payments():
    print("paid:", payment["order"], payment["amount"])

try:
    find_orders("ada", limit="all")
except TypeError as mistake:
    print(mistake)

{"refunded": 20.0, "euro": euro}
